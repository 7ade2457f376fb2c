/** How much is let through in how long. */
import type { AppliedRateLimit } from "../applied-rate-limits.ts";

/** `amount` in `perMs`, evenly; whoever has been quiet may send `burst` at once. */
export type Pace = Pick<AppliedRateLimit, "amount" | "perMs" | "burst">;

/**
 * Of one of `processes` that serve one pod and tell each other nothing: a like part, and room for one at least.
 */
export function paceOfProcess({ amount, perMs, burst }: Pace, processes: number): Pace {
  return { amount: amount / processes, perMs, burst: Math.max(1, burst / processes) };
}
