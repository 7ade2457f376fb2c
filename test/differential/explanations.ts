/**
 * Where the data planes differ and are meant to. An explanation excuses only what is refused here and let through by Envoy:
 * never what is let in here and Envoy's policies deny. A request to which Envoy has an answer before any policy is asked
 * is neither: that it is one is told by the answer.
 */
import type { Answered } from "./disagreement.ts";

export interface Explanation {
  /** Of the semantics, in `docs/reference/differential.md`. */
  readonly rule: string;
  readonly why: string;
  readonly example: string;
  /** What Envoy itself answers, without asking a policy: never what a denial looks like. Absent: policies let it in there. */
  readonly unaskedInEnvoy?: string;
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
    rule: "AP-109",
    why: "Envoy's connection manager has no place for a path without a slash; here it is judged, and goes on (RFC 9110 section 9.3.7)",
    example: "OPTIONS *",
    unaskedInEnvoy: "404",
    holds: ({ call }) => call.request?.method === "OPTIONS" && call.request.path === "*",
  },
];

/** @returns undefined where nothing excuses it */
export function explanationOf(answered: Answered): Explanation | undefined {
  return EXPLANATIONS.find((one) => isMeant(one, answered) && one.holds(answered));
}

function isMeant({ unaskedInEnvoy }: Explanation, { engine, sidecar, envoy }: Answered): boolean {
  if (unaskedInEnvoy !== undefined) return envoy.seen === unaskedInEnvoy;
  const isDeniedHere = engine.verdict === "denied" || sidecar?.verdict === "denied";
  return isDeniedHere && envoy.verdict === "allowed";
}
