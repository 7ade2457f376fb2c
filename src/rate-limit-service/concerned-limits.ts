/** Which global limits an identity may count for: those of the views of its own pods, and no other. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { type AppliedRateLimit, rateLimitId } from "../policy/applied-rate-limits.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

export type WorkloadViews = ReadonlyMap<string, WorkloadView>;
type LimitsById = ReadonlyMap<string, AppliedRateLimit>;

export class ConcernedLimits {
  #views: WorkloadViews | undefined;
  #byIdentity: Map<SpiffeId, LimitsById> = new Map();

  /** @returns undefined where there is no such limit for that identity */
  find(views: WorkloadViews, identity: SpiffeId, limit: string): AppliedRateLimit | undefined {
    if (views !== this.#views) this.#byIdentity = new Map();
    this.#views = views;
    let limits = this.#byIdentity.get(identity);
    if (limits === undefined) {
      limits = limitsOf(views, identity);
      this.#byIdentity.set(identity, limits); // also that there are none: whoever asks again costs nothing
    }
    return limits.get(limit);
  }
}

function limitsOf(views: WorkloadViews, identity: SpiffeId): LimitsById {
  const limits = new Map<string, AppliedRateLimit>();
  for (const { workload, inbound } of views.values()) {
    if (workload.identity !== identity) continue;
    for (const limit of inbound.rateLimits ?? [])
      if (limit.scope === "Global") limits.set(rateLimitId(limit), limit);
  }
  return limits;
}
