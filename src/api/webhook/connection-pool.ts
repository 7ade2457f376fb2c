/** `connectionPool` of a traffic policy or of a Sidecar: how many connections and requests, and for how long. */
import type { Fields } from "../decoder.ts";
import { checkDuration, parseDuration } from "./duration.ts";
import { flagIn, numberIn, textIn } from "./written-values.ts";

const HTTP_LIMITS = [
  "http1MaxPendingRequests",
  "http2MaxRequests",
  "maxRequestsPerConnection",
  "maxRetries",
  "maxConcurrentStreams",
];

/** @param field what the pool is called in `owner`: `inboundConnectionPool` too, in a Sidecar */
export function checkConnectionPool(owner: Fields, field = "connectionPool"): void {
  if (!owner.has(field)) return;
  const pool = owner.section(field);
  if (!pool.has("http") && !pool.has("tcp")) owner.report(field, "must have at least one field");
  checkHttp(pool.section("http"));
  checkTcp(pool.section("tcp"));
}

function checkHttp(http: Fields): void {
  for (const name of HTTP_LIMITS) checkLimit(http, name);
  checkDuration(http, "idleTimeout");
  if (textIn(http, "h2UpgradePolicy") === "UPGRADE" && flagIn(http, "useClientProtocol")) {
    http.report("useClientProtocol", "must not be true when h2UpgradePolicy is UPGRADE");
  }
  if (!http.has("http2KeepAlive")) return;
  const keepAlive = http.section("http2KeepAlive");
  for (const name of ["interval", "timeout"]) {
    if (!keepAlive.has(name)) keepAlive.report(name, "is missing; http2KeepAlive needs it");
    checkDuration(keepAlive, name);
  }
}

function checkTcp(tcp: Fields): void {
  checkLimit(tcp, "maxConnections");
  checkDuration(tcp, "connectTimeout");
  checkDuration(tcp, "maxConnectionDuration");
  if (!isBelowOneMillisecond(textIn(tcp, "idleTimeout"))) checkDuration(tcp, "idleTimeout");
  const keepalive = tcp.section("tcpKeepalive");
  checkDuration(keepalive, "time");
  checkDuration(keepalive, "interval");
}

/** An idle timeout without a whole millisecond turns it off, so it is no fault. */
function isBelowOneMillisecond(text: string): boolean {
  const duration = parseDuration(text);
  return duration !== undefined && Math.abs(duration) < 1e6;
}

function checkLimit(settings: Fields, name: string): void {
  const limit = numberIn(settings, name);
  if (limit < 0) settings.report(name, `is ${limit}; must not be negative`);
}
