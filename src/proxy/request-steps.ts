/** Steps that every request takes first, whichever way it goes: what cannot be read in one way only is refused. */
import { randomUUID } from "node:crypto";
import { METHODS } from "node:http";
import { type Exchange, refusal, type StepResult } from "./exchange.ts";
import { headerValues } from "./header-list.ts";
import { parseRequestTarget } from "./request-target.ts";

/** As Envoy's default. */
const MAX_HEADERS = 100;
/** Of HTTP: node:http reads RTSP, too, and says that it was HTTP/1.0. */
const HTTP_METHODS: ReadonlySet<string> = new Set(METHODS);

/** Node refuses both framings together and malformed ones; what it lets pass and we could not forward ends here. */
export function refuseAmbiguous({ head }: Exchange): StepResult {
  if (head.version !== "1.1" && head.version !== "1.0") return refusal(505, "unknown HTTP version");
  if (!HTTP_METHODS.has(head.method)) return refusal(400, "a method that HTTP does not have");
  if (head.rawHeaders.length > 2 * MAX_HEADERS) return refusal(431, "too many headers");
  const codings = headerValues(head.rawHeaders, "transfer-encoding");
  if (codings.length === 0) return "continue";
  if (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked") {
    return refusal(501, "only the chunked transfer encoding is served");
  }
  return head.version === "1.0" ? refusal(400, "transfer encoding in HTTP/1.0") : "continue";
}

/** One authority and one path, whatever form the target had (AP-109, QK-6; RFC 9112 sections 3.2 and 3.2.4). */
export function resolveTarget(exchange: Exchange): StepResult {
  const hosts = headerValues(exchange.head.rawHeaders, "host");
  const target = parseRequestTarget(exchange.head.target, hosts);
  if ("problem" in target) return refusal(400, target.problem);
  const isLost = hosts.length === 0 && exchange.head.version === "1.1";
  if (target.authority === undefined || isLost) return refusal(400, "no Host header");
  if (target.path === "*" && exchange.head.method !== "OPTIONS") {
    return refusal(400, "the request target * is for OPTIONS only");
  }
  exchange.authority = target.authority;
  exchange.path = target.path;
  exchange.headers.set("Host", target.authority);
  return "continue";
}

/** RFC 9110 section 10.1.1. Runs last: whoever is not let in is told nothing else. */
export function refuseExpectation({ head }: Exchange): StepResult {
  const expected = headerValues(head.rawHeaders, "expect");
  if (expected.every((one) => one.toLowerCase() === "100-continue")) return "continue";
  return refusal(417, "an expectation that is not served");
}

/** An id that follows the request: the caller's own, or a new one. */
export function identifyRequest({ headers }: Exchange): StepResult {
  if (!headers.get("x-request-id")) headers.set("x-request-id", randomUUID());
  return "continue";
}
