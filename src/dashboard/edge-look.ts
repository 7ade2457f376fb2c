/** What a drawn call says of itself at a glance: how safe it was, and whether anything got through. Pure. */
import type { EdgeView } from "./views.ts";

/** "refused": none of its calls got through, however they came; else how many were mutual TLS: all, some or none. */
export type EdgeLook = "good" | "mixed" | "bad" | "refused";

export function lookOf(edge: EdgeView): EdgeLook {
  return edge.calls > 0 && edge.refused === edge.calls ? "refused" : safetyOf(edge);
}

export function safetyOf({ mutualTlsPercent }: EdgeView): Exclude<EdgeLook, "refused"> {
  if (mutualTlsPercent === 100) return "good";
  return mutualTlsPercent === 0 ? "bad" : "mixed";
}

/** At most as long as `100 % mTLS, 9999 of 9999 refused`, for numbers of that size. */
export function labelOf(edge: EdgeView): string {
  const { calls, refused, mutualTlsPercent } = edge;
  if (lookOf(edge) === "refused") return calls === 1 ? "refused" : `all ${calls} refused`;
  const share = `${mutualTlsPercent} % mTLS`;
  return refused === 0 ? share : `${share}, ${refused} of ${calls} refused`;
}
