/** A rate limit of the whole mesh: unless told otherwise 100 a second by everybody together, called `shop/checkout/all`. */
import type { AppliedRateLimit } from "../../src/policy/applied-rate-limits.ts";
import { appliedRateLimit } from "./applied-rate-limit.ts";

export function globalRateLimit(changes: Partial<AppliedRateLimit> = {}): AppliedRateLimit {
  const ref = { kind: "RateLimit", namespace: "shop", name: "checkout" };
  return appliedRateLimit({ ref, scope: "Global", amount: 100, burst: 100, ...changes });
}
