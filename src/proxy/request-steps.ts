/** Steps that every request takes, whichever way it goes. What cannot be read in one way only was refused before. */
import { randomUUID } from "node:crypto";
import { METHODS } from "node:http";
import { STRANGER_HEAD } from "../http/head-limits.ts";
import { type Answer, type Exchange, refusal, type StepResult } from "./exchange.ts";

/** What HTTP/1 writes beside a name and a value; where fields lie as they came, their ranges leave it out. */
const FIELD_OVERHEAD = 4;
const HTTP_METHODS: ReadonlySet<string> = new Set(METHODS);

/**
 * What we add comes on top of what a stranger has sent, and has to be taken by the next hop: see `STRANGER_HEAD`. To be
 * asked before anything is added.
 */
export function refuseLargeHead(exchange: SizedHead): StepResult {
  const { headers, path, authority = "" } = exchange;
  if (headers.count > STRANGER_HEAD.fields) return refusal(431, "more than 100 fields");
  if (octetsOf(headers) + path.length + authority.length <= STRANGER_HEAD.octets) return "continue";
  return refusal(431, "the head is longer than 60 KiB");
}

type SizedHead = Pick<Exchange, "headers" | "path" | "authority">;

function octetsOf({ count, ranges }: Exchange["headers"]): number {
  let octets = FIELD_OVERHEAD * count;
  for (let place = 0; place < 4 * count; place += 2)
    octets += (ranges[place + 1] ?? 0) - (ranges[place] ?? 0);
  return octets;
}

/** A word in capitals need not be one of HTTP's; what lies behind us may read it as another protocol's. */
export function refuseUnknownMethod({ method }: Exchange): StepResult {
  if (HTTP_METHODS.has(method)) return "continue";
  return refusal(400, "a method that HTTP does not have");
}

/** Only HTTP/1.0 may name nobody (AP-109, QK-6): then nobody could say which host is meant. */
export function refuseWithoutAuthority({ authority }: Exchange): StepResult {
  return authority === undefined ? refusal(400, "no Host header") : "continue";
}

/** In the words of Envoy, which calls anything that is no path of its own an absolute one. */
const NOT_A_PATH: Answer = {
  status: 404,
  body: "a path begins with a slash\n",
  flags: "-",
  details: "absolute_path_rejected",
};

/**
 * `OPTIONS *` asks for no path: neither policies nor routes could say anything of it (AP-109).
 *
 * @see envoyproxy/envoy `ConnectionManagerImpl::ActiveStream::decodeHeaders`, which also spares CONNECT alone
 */
export function refuseAsterisk({ path }: Pick<Exchange, "path">): StepResult {
  return path.startsWith("/") ? "continue" : NOT_A_PATH;
}

/** What tells whom a request is from. */
const OF_CALLERS = [
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "authorization",
  "cookie",
] as const;
const USUAL: ReadonlySet<string> = new Set(["keep-alive", "close", "upgrade"]);

/**
 * By `Connection` a client could have one hop forget what the next one believes. The first three Envoy refuses, too; the
 * others it takes away, so that rules and tokens would be judged otherwise than the application reads them.
 */
export function refuseForgottenCaller({ headers }: Pick<Exchange, "headers">): StepResult {
  const connection = headers.get("connection");
  if (connection === undefined || USUAL.has(connection.toLowerCase())) return "continue";
  return OF_CALLERS.some((name) => headers.isNamedByConnection(name))
    ? refusal(400, "Connection names a field that tells of the caller")
    : "continue";
}

/** RFC 9110 section 10.1.1. Runs last: whoever is not let in is told nothing else. */
export function refuseExpectation({ expectation }: Exchange): StepResult {
  if (expectation !== "other") return "continue";
  return refusal(417, "an expectation that is not served");
}

/** An id that follows the request: the caller's own, or a new one. */
export function identifyRequest({ headers }: Exchange): StepResult {
  if (headers.isBlank("x-request-id")) headers.set("x-request-id", randomUUID());
  return "continue";
}
