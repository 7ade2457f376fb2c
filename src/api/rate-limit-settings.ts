/**
 * `hauberk.rateLimits` of the mesh configuration: where global rate limits are counted. Ours: Istio has no resource for limits, and
 * leaves the service that counts to its users.
 */
import { isAbsolute } from "node:path";
import { authoritiesIn } from "./authorities-in.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { flag, integer, type ObjectSchema, object, text } from "./schema/schema.ts";
import { isGiven, numberIn, textIn } from "./webhook/written-values.ts";

export interface RateLimitSettings {
  /** Absent: in the memory of the control plane. */
  readonly redis?: RedisSettings;
}

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  /** Absent: Redis's own `default`. */
  readonly user?: string;
  /** Whose first line is the password; read by the control plane, anew for each connection. */
  readonly passwordFile?: string;
  readonly database: number;
  /** Absent: without TLS. */
  readonly tls?: {
    /** Absent: the host. */
    readonly serverName?: string;
    /** PEM, one text each; none: those of the system. */
    readonly authoritiesPem: readonly string[];
  };
}

export const RATE_LIMIT_SETTINGS_SCHEMA: ObjectSchema = object({
  redis: object({
    address: text(),
    user: text(),
    passwordFile: text(),
    database: integer({ min: 0, max: 65_535 }),
    tls: object({ enabled: flag(), serverName: text(), certificateAuthorities: text() }),
  }),
});

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:@/]+)):(\d{1,5})$/;

/** @param own the section `hauberk` */
export function readRateLimitSettings(own: Fields): RateLimitSettings {
  const limits = own.section("rateLimits");
  const redis = limits.has("redis") ? readRedis(limits.section("redis")) : undefined;
  return { ...(redis && { redis }) };
}

function readRedis(redis: Fields): RedisSettings | undefined {
  const user = textIn(redis, "user");
  const passwordFile = readPasswordFile(redis);
  if (user !== "" && passwordFile === undefined && !isGiven(redis, "passwordFile"))
    redis.report("user", "needs passwordFile, the file with its password");
  const tls = readTls(redis);
  const address = textIn(redis, "address");
  const [, v6, name, port = ""] = ADDRESS.exec(address) ?? [];
  const host = v6 ?? name;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    redis.report("address", `is ${quoted(address)}; expected HOST:PORT, as in 127.0.0.1:6379`);
    return undefined;
  }
  return {
    host,
    port: Number(port),
    ...(user !== "" && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
    database: numberIn(redis, "database"),
    ...(tls && { tls }),
  };
}

function readPasswordFile(redis: Fields): string | undefined {
  const file = textIn(redis, "passwordFile");
  if (file === "") return undefined;
  if (isAbsolute(file)) return file;
  redis.report("passwordFile", `is ${quoted(file)}; expected an absolute path`);
  return undefined;
}

/** A section that says nothing of `enabled` asks for TLS. */
function readTls(redis: Fields): RedisSettings["tls"] {
  const tls = redis.section("tls");
  const authoritiesPem = authoritiesIn(tls, "certificateAuthorities");
  if (!redis.has("tls") || !tls.flag("enabled", "on")) return undefined;
  const serverName = textIn(tls, "serverName");
  return { ...(serverName !== "" && { serverName }), authoritiesPem };
}
