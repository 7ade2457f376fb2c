/** `loadBalancer` of a traffic policy: which endpoint is next. Zones, weights and warmup have no effect here yet. */
import type { Fields } from "./decoder.ts";
import { durationMsIn } from "./duration-ms-in.ts";
import { flagIn, numberIn, textIn } from "./webhook/written-values.ts";

export interface LoadBalancerSettings {
  /** As written; absent where nothing was, or UNSPECIFIED. LEAST_CONN is LEAST_REQUEST. */
  readonly simple?: SimpleLoadBalancer;
  /** Counts before `simple`. */
  readonly consistentHash?: ConsistentHashSettings;
  /** Understood, without effect yet: new endpoints get their full share at once. */
  readonly warmup?: WarmupSettings;
}

export type SimpleLoadBalancer = "LEAST_REQUEST" | "ROUND_ROBIN" | "RANDOM" | "PASSTHROUGH";

export interface ConsistentHashSettings {
  readonly key: HashKey;
  /** Entries of the ring, at least; absent: Envoy's default. */
  readonly minimumRingSize?: number;
}

/** What of a call is hashed. Calls for which there is none are spread at random. */
export type HashKey =
  | { readonly from: "header"; readonly name: string }
  | { readonly from: "source-ip" }
  | { readonly from: "query-parameter"; readonly name: string }
  | HashCookie
  | { readonly from: "nothing" };

export interface HashCookie {
  readonly from: "cookie";
  readonly name: string;
  /** "" when not given. */
  readonly path: string;
  /** Present: a call without the cookie gets one; 0 is a cookie of the session. Absent: it gets none. */
  readonly ttlSeconds?: number;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export interface WarmupSettings {
  readonly durationMs: number;
  /** Share of its full weight that a new endpoint begins with. */
  readonly minimumPercent: number;
  /** 1: the share grows evenly; more: faster at first. */
  readonly aggression: number;
}

const WITHOUT_EFFECT = [
  "backendUtilization",
  "localityLbSetting",
  "warmup",
  "warmupDurationSecs",
  "zoneAwareLbSetting",
];

export function loadBalancerSettings(fields: Fields): LoadBalancerSettings {
  fields.unused(WITHOUT_EFFECT);
  fields.accept(["consistentHash", "simple"]);
  const simple = simpleIn(fields);
  const warmup = warmupIn(fields);
  return {
    ...(simple !== undefined && { simple }),
    ...(fields.has("consistentHash") && {
      consistentHash: consistentHash(fields.section("consistentHash")),
    }),
    ...(warmup !== undefined && { warmup }),
  };
}

const SIMPLE: ReadonlyMap<string, SimpleLoadBalancer> = new Map([
  ["LEAST_CONN", "LEAST_REQUEST"],
  ["LEAST_REQUEST", "LEAST_REQUEST"],
  ["PASSTHROUGH", "PASSTHROUGH"],
  ["RANDOM", "RANDOM"],
  ["ROUND_ROBIN", "ROUND_ROBIN"],
]);

function simpleIn(fields: Fields): SimpleLoadBalancer | undefined {
  return SIMPLE.get(textIn(fields, "simple"));
}

/** Of a Maglev table the keys are kept, and its place is taken by a ring: callers still stick, to other endpoints. */
function consistentHash(fields: Fields): ConsistentHashSettings {
  fields.unused(["maglev"]);
  const ring = fields.section("ringHash");
  const minimumRingSize =
    numberIn(fields, "minimumRingSize") || numberIn(ring, "minimumRingSize") || undefined;
  for (const section of [fields, ring]) section.accept(["minimumRingSize"]);
  return { key: hashKey(fields), ...(minimumRingSize !== undefined && { minimumRingSize }) };
}

/** The schema lets at most one of them be written. */
function hashKey(fields: Fields): HashKey {
  fields.accept(["httpHeaderName", "httpQueryParameterName", "useSourceIp"]);
  const header = textIn(fields, "httpHeaderName");
  if (header !== "") return { from: "header", name: header.toLowerCase() };
  const parameter = textIn(fields, "httpQueryParameterName");
  if (parameter !== "") return { from: "query-parameter", name: parameter };
  if (fields.has("httpCookie")) return hashCookie(fields.section("httpCookie"));
  return { from: flagIn(fields, "useSourceIp") ? "source-ip" : "nothing" };
}

function hashCookie(fields: Fields): HashCookie {
  fields.accept(["name", "path", "ttl"]);
  const ttlMs = durationMsIn(fields, "ttl");
  return {
    from: "cookie",
    name: textIn(fields, "name"),
    path: textIn(fields, "path"),
    ...(ttlMs !== undefined && { ttlSeconds: Math.floor(ttlMs / 1_000) }),
    attributes: fields.list("attributes").map((attribute) => {
      attribute.accept(["name", "value"]);
      return { name: textIn(attribute, "name"), value: textIn(attribute, "value") };
    }),
  };
}

/**
 * `warmupDurationSecs` is the older name of the duration alone. Defaults as istiod's (`setWarmup` in
 * `pilot/pkg/networking/core/cluster_traffic_policy.go`).
 */
function warmupIn(fields: Fields): WarmupSettings | undefined {
  const warmup = fields.section("warmup");
  warmup.accept(["aggression", "duration", "minimumPercent"]);
  const durationMs = durationMsIn(warmup, "duration") ?? durationMsIn(fields, "warmupDurationSecs");
  if (durationMs === undefined) return undefined;
  return {
    durationMs,
    minimumPercent: warmup.has("minimumPercent") ? numberIn(warmup, "minimumPercent") : 10,
    aggression: warmup.has("aggression") ? numberIn(warmup, "aggression") : 1,
  };
}
