/**
 * Where the data planes differ and are meant to. An explanation excuses only what is refused here and let through by Envoy:
 * never what is let in here and denied there; and only where the policies let in the call as Envoy reads it, so that no
 * DENY that is passed by in Envoy is taken for a matter of form.
 */
import { authorizeOf } from "./ask-authorize.ts";
import type { Answered } from "./disagreement.ts";
import { isNamedByConnection, isOfThisHop } from "./heard-headers.ts";
import type { Call, WireRequest } from "./question.ts";

export interface Explanation {
  /** Of the semantics, in `docs/reference/differential.md`. */
  readonly rule: string;
  readonly why: string;
  readonly example: string;
  /** @returns the call as Envoy reads it; undefined where there is nothing to explain */
  readonly readByEnvoy: (answered: Answered) => Call | undefined;
}

/** All together, of all calls. */
export const MOST_EXCUSED = 0.005;

export const EXPLANATIONS: readonly Explanation[] = [
  {
    rule: "AP-107",
    why: "our reader of HTTP refuses a target with a fragment, which Envoy cuts off",
    example: "GET /a#f",
    readByEnvoy({ call, sidecar }) {
      const { request } = call;
      const isRefused = sidecar?.seen === "400" || sidecar?.seen === "reset";
      if (!isRefused || request?.path.includes("#") !== true) return undefined;
      return { ...call, request: { ...request, path: request.path.replace(/#.*/, "") } };
    },
  },
  {
    rule: "AP-102",
    why: "a dot segment with parameters is refused here; Envoy drops the parameters, and climbs",
    example: "GET /a/..;x=1/b",
    readByEnvoy({ call, set }) {
      const { request } = call;
      if (request === undefined || set.pathNormalization === "NONE") return undefined;
      const path = withoutDotParameters(request.path);
      return path === request.path ? undefined : { ...call, request: { ...request, path } };
    },
  },
  {
    rule: "RFC 9113 section 8.2.1",
    why: "our reader of HTTP/2 refuses a value with a blank at either end, which is malformed there",
    example: "x-forwarded-for: ' 10.0.0.9 '",
    readByEnvoy({ call, sidecar }) {
      const isRefused = call.protocol === "h2" && sidecar?.seen === "reset";
      const hasBlank = call.request?.headers.some(([, value]) => value !== value.trim()) === true;
      return isRefused && hasBlank ? call : undefined;
    },
  },
  {
    rule: "RFC 9110 section 7.6.1",
    why: "a field that is for this hop only is asked by what keeps out; Envoy takes it away before",
    example: "Connection: x-role, X-Role: admin",
    readByEnvoy({ call, engine }) {
      const { request } = call;
      if (engine.verdict !== "denied" || call.protocol !== "http/1.1") return undefined;
      const passed = request && withoutFieldsOfThisHop(request);
      return passed && { ...call, request: passed };
    },
  },
];

/** @returns undefined where nothing excuses it */
export function explanationOf(answered: Answered): Explanation | undefined {
  if (!isStricterHere(answered)) return undefined;
  const letsIn = authorizeOf(answered.set);
  return EXPLANATIONS.find(({ readByEnvoy }) => {
    const read = readByEnvoy(answered);
    return read !== undefined && letsIn(read).verdict === "allowed";
  });
}

/** Our own proxy, where it was asked, must have kept it out itself: what the engine denies, it may not let in either. */
function isStricterHere({ engine, sidecar, envoy }: Answered): boolean {
  return (sidecar ?? engine).verdict === "denied" && envoy.verdict === "allowed";
}

/** As they are written: what Envoy makes of an escaped one is refused here, and excused by nothing. */
function withoutDotParameters(path: string): string {
  const [pathname = ""] = path.split(/[?#]/, 1);
  return pathname.replace(/\/(\.\.?);[^/]*/g, "/$1") + path.slice(pathname.length);
}

/** Envoy answers 400 itself where `Connection` names one of them. */
const NEVER_TAKEN_AWAY: readonly string[] = [
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

/** @returns undefined where Envoy takes nothing away */
function withoutFieldsOfThisHop(request: WireRequest): WireRequest | undefined {
  if (NEVER_TAKEN_AWAY.some((name) => isNamedByConnection(request, name))) return undefined;
  const headers = request.headers.filter(([name]) => !isOfThisHop(request, name.toLowerCase()));
  if (headers.length === request.headers.length) return undefined;
  if (!isNamedByConnection(request, "authorization")) return { ...request, headers };
  const { token, ...tokenless } = request;
  return { ...tokenless, headers };
}
