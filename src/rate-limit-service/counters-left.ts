/** What is left of global limits, for who asks about them on this machine: looking takes nothing. */
import { type AppliedRateLimit, rateLimitId } from "../policy/applied-rate-limits.ts";
import { type GlobalCounter, hashedEntry } from "../policy/global-limit-descriptor.ts";
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import type { WorkloadViews } from "./concerned-limits.ts";
import type { Counters } from "./counters.ts";

/**
 * @returns in the order of what is asked; null: no workload has such a limit
 * @throws CountersAwayError, CountersLateError
 */
export function countersLeft(
  asked: readonly GlobalCounter[],
  { views, counters }: { readonly views: WorkloadViews; readonly counters: Counters },
): Promise<readonly (LimitLeft | null)[]> {
  const limits = globalLimits(views);
  return Promise.all(
    asked.map(async ({ limit: name, key, identity }) => {
      const limit = limits.get(name);
      if (limit === undefined) return null;
      const { remaining, waitMs } = await counters.look({
        ...{ limit: name, key: hashedEntry(key) },
        ...{ rate: limit.amount / limit.perMs, burst: limit.burst },
        fair: limit.fair,
        identity: limit.fair ? hashedEntry(identity) : "",
      });
      return { left: remaining, waitMs: Math.ceil(waitMs) };
    }),
  );
}

function globalLimits(views: WorkloadViews): ReadonlyMap<string, AppliedRateLimit> {
  const all = [...views.values()].flatMap(({ inbound }) => inbound.rateLimits ?? []);
  return new Map(
    all.filter(({ scope }) => scope === "Global").map((limit) => [rateLimitId(limit), limit]),
  );
}
