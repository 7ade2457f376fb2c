/** What the access logs that users configure may tell of one request or connection. */
import type { AccessLogEntry } from "./access-log.ts";

export interface LoggedCall {
  readonly entry: AccessLogEntry;
  readonly startedAt: Date;
  /** Of a request, with its query and in full: the entry tells the beginning of a long one. */
  readonly path?: string;
  /** Absent of connections. */
  readonly requestHeaders?: HeaderLookup;
  /** Absent where nothing was answered, or the answer is our own. */
  readonly responseHeaders?: HeaderLookup;
  /** From when the request was sent on to when the answer began, in milliseconds. */
  readonly upstreamServiceMs?: number;
  /** SHA-256 of the caller's certificate, lower-case hexadecimal; only the callee's side knows it. */
  readonly certificateHash?: string;
}

export interface HeaderLookup {
  /** @param name lower case */
  get(name: string): string | undefined;
}

/** Of the answer, as Envoy's router tells it. */
export const UPSTREAM_SERVICE_TIME = "x-envoy-upstream-service-time";

/** Set by proxies that rewrite paths, of which there are none here: whoever sends it tells a path of his own. */
export const ORIGINAL_PATH = "x-envoy-original-path";

/** OBS-4: refused before any filter chain was found for it, so that nothing is known but the addresses. */
export function isWithoutChain({ entry }: LoggedCall): boolean {
  return entry.response_flags === "NR" && entry.protocol === "TCP";
}

/** The name of the route that carried a request: no route here has a name of its own. */
export function routeName({ entry }: LoggedCall): string | undefined {
  if (entry.method === null) return undefined;
  return entry.upstream_cluster === "BlackHoleCluster" ? "block_all" : "default";
}

export function upstreamCluster(call: LoggedCall): string | undefined {
  return isWithoutChain(call) ? undefined : (call.entry.upstream_cluster ?? undefined);
}

export function requestHeader(call: LoggedCall, name: string): string | undefined {
  const { entry, requestHeaders } = call;
  switch (name) {
    case ":method":
      return entry.method ?? undefined;
    case ":path":
      return entry.path ?? undefined;
    case ":authority":
    case "host":
      return entry.authority ?? undefined;
    case ":scheme":
      return requestHeaders && (requestHeaders.get("x-forwarded-proto") ?? "http");
    case ORIGINAL_PATH:
      return undefined;
    default:
      return requestHeaders?.get(name);
  }
}

export function responseHeader(call: LoggedCall, name: string): string | undefined {
  const { entry, responseHeaders, upstreamServiceMs } = call;
  if (name === ":status") return entry.response_code?.toString();
  if (name === UPSTREAM_SERVICE_TIME) return upstreamServiceMs?.toFixed(0);
  return responseHeaders?.get(name);
}
