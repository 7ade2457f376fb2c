/** A refusal in sentences, with the nearest rule alone: what people read at once, beside the request. */
import type { Decision } from "../../policy/decision.ts";
import { explain } from "../../policy/explain.ts";

/** @returns no line for what was let through */
export function refusalInWords(decision: Decision | undefined): readonly string[] {
  if (decision?.verdict !== "deny") return [];
  const { reason } = decision;
  const shown =
    reason.because === "no-allow-matched"
      ? { ...reason, nearest: reason.nearest.slice(0, 1) }
      : reason;
  return explain({ verdict: "deny", reason: shown }).split("\n");
}
