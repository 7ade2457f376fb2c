/** RateLimits that Envoy has no filter for: nothing may look enforced that is not, so they are told by name. */
import { type AppliedRateLimit, rateLimitId } from "../../policy/applied-rate-limits.ts";
import { isPlain } from "./connection-limit-filters.ts";
import { limitKeyExpressions } from "./limit-key-expression.ts";

export interface UncountedLimit {
  /** `shop/checkout/per-caller` */
  readonly limit: string;
  /** What becomes of it. */
  readonly problem: string;
}

export function uncountedLimits(limits: readonly AppliedRateLimit[]): readonly UncountedLimit[] {
  return limits.flatMap((limit) => {
    const problem = problemOf(limit);
    return problem === undefined ? [] : [{ limit: rateLimitId(limit), problem }];
  });
}

function problemOf(limit: AppliedRateLimit): string | undefined {
  if (limit.counts === "requests") {
    const unknown = limit.key.filter(
      (part) => limitKeyExpressions([part], new Map()) === undefined,
    );
    if (unknown.length > 0)
      return `is not enforced: Envoy cannot count apart by ${unknown.join(", ")}`;
    if (limit.fair && limit.scope === "Local")
      return "is shared without regard to fairness: Envoy counts all callers together";
    return undefined;
  }
  if (!isPlain(limit))
    return "is not enforced: Envoy counts the connections of a port, all of them and together";
  return limit.mode === "Shadow"
    ? "is not tried out: Envoy cannot count connections without refusing any"
    : undefined;
}
