/**
 * Where the data planes differ and are meant to. An explanation excuses only what is refused here and let through by Envoy:
 * never what is let in here and denied there.
 */
import type { Answered } from "./disagreement.ts";

export interface Explanation {
  /** Of the semantics, in `docs/reference/differential.md`. */
  readonly rule: string;
  readonly why: string;
  readonly example: string;
  readonly holds: (answered: Answered) => boolean;
}

/** All together, of all calls. */
export const MOST_EXCUSED = 0.005;

export const EXPLANATIONS: readonly Explanation[] = [
  {
    rule: "AP-107",
    why: "our reader of HTTP refuses a target with a fragment, which Envoy cuts off",
    example: "GET /a#f",
    holds: ({ call, sidecar }) =>
      call.request?.path.includes("#") === true &&
      (sidecar?.seen === "400" || sidecar?.seen === "reset"),
  },
  {
    rule: "RFC 9113 section 8.2.1",
    why: "our reader of HTTP/2 refuses a value with a blank at either end, which is malformed there",
    example: "x-forwarded-for: ' 10.0.0.9 '",
    holds: ({ call, sidecar }) =>
      call.protocol === "h2" &&
      sidecar?.seen === "reset" &&
      call.request?.headers.some(([, value]) => value !== value.trim()) === true,
  },
  {
    rule: "RFC 9110 section 7.6.1",
    why: "a field that is for this hop only is asked by what keeps out; Envoy takes it away before",
    example: "Connection: x-role, X-Role: admin",
    holds: ({ call }) =>
      call.request?.headers.some(([name]) => name.toLowerCase() === "connection") === true,
  },
];

/** @returns undefined where nothing excuses it */
export function explanationOf(answered: Answered): Explanation | undefined {
  if (!isStricterHere(answered)) return undefined;
  return EXPLANATIONS.find((one) => one.holds(answered));
}

/** Whoever reached an application of ours, or would by the engine's word, must have reached Envoy's. */
function isStricterHere({ engine, sidecar, envoy }: Answered): boolean {
  const isDeniedHere = engine.verdict === "denied" || sidecar?.verdict === "denied";
  return isDeniedHere && envoy.verdict === "allowed";
}
