/** `connectionPool` of a traffic policy: how many connections and requests, and for how long. */
import type { Fields } from "./decoder.ts";
import { durationMsIn } from "./duration-ms-in.ts";
import { flagIn, numberIn, textIn } from "./webhook/written-values.ts";

/** Of limits, 0 is as good as absent: istiod sees no difference. */
export interface ConnectionPoolSettings {
  readonly tcp: TcpPoolSettings;
  readonly http: HttpPoolSettings;
}

export interface TcpPoolSettings {
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  /** 0: never, also when less than a millisecond was written. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** Present, be it empty: keep-alive probes are sent. */
  readonly keepalive?: TcpKeepalive;
}

export interface TcpKeepalive {
  /** Before the first probe; absent: the operating system's to say. How many follow, and how soon, Node decides. */
  readonly idleSeconds?: number;
}

export interface HttpPoolSettings {
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxRetries?: number;
  readonly idleTimeoutMs?: number;
  readonly h2Upgrade: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE";
  readonly useClientProtocol: boolean;
}

export function connectionPoolSettings(fields: Fields): ConnectionPoolSettings {
  return { tcp: tcpPool(fields.section("tcp")), http: httpPool(fields.section("http")) };
}

function tcpPool(tcp: Fields): TcpPoolSettings {
  tcp.accept(["connectTimeout", "idleTimeout", "maxConnectionDuration", "maxConnections"]);
  return {
    ...optional("maxConnections", limitIn(tcp, "maxConnections")),
    ...optional("connectTimeoutMs", durationMsIn(tcp, "connectTimeout")),
    ...optional("idleTimeoutMs", durationMsIn(tcp, "idleTimeout")),
    ...optional("maxConnectionDurationMs", durationMsIn(tcp, "maxConnectionDuration")),
    ...(tcp.has("tcpKeepalive") && { keepalive: tcpKeepalive(tcp.section("tcpKeepalive")) }),
  };
}

/** Envoy counts in whole seconds; less than one is left to the operating system, as the socket would refuse 0. */
function tcpKeepalive(fields: Fields): TcpKeepalive {
  fields.unused(["interval", "probes"]);
  fields.accept(["time"]);
  return optional("idleSeconds", secondsIn(fields, "time"));
}

function httpPool(http: Fields): HttpPoolSettings {
  http.unused(["http2KeepAlive", "maxConcurrentStreams"]);
  http.accept(["h2UpgradePolicy", "http1MaxPendingRequests", "http2MaxRequests", "idleTimeout"]);
  http.accept(["maxRequestsPerConnection", "maxRetries", "useClientProtocol"]);
  const upgrade = textIn(http, "h2UpgradePolicy");
  return {
    ...optional("maxPendingRequests", limitIn(http, "http1MaxPendingRequests")),
    ...optional("maxRequests", limitIn(http, "http2MaxRequests")),
    ...optional("maxRequestsPerConnection", limitIn(http, "maxRequestsPerConnection")),
    ...optional("maxRetries", limitIn(http, "maxRetries")),
    ...optional("idleTimeoutMs", durationMsIn(http, "idleTimeout")),
    h2Upgrade: upgrade === "UPGRADE" || upgrade === "DO_NOT_UPGRADE" ? upgrade : "DEFAULT",
    useClientProtocol: flagIn(http, "useClientProtocol"),
  };
}

function limitIn(fields: Fields, name: string): number | undefined {
  const limit = numberIn(fields, name);
  return limit > 0 ? limit : undefined;
}

function secondsIn(fields: Fields, name: string): number | undefined {
  const durationMs = durationMsIn(fields, name) ?? 0;
  return durationMs < 1_000 ? undefined : Math.floor(durationMs / 1_000);
}

function optional<Name extends string>(
  name: Name,
  value: number | undefined,
): Partial<Record<Name, number>>;
function optional(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}
