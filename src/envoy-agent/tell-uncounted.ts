/** RateLimits that Envoy cannot keep are told in the log, once each: nothing may look enforced that is not. */
import { uncountedLimits } from "../envoy/inbound/uncounted-limits.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";

/** @returns what ends it */
export function tellUncounted(views: Watched<WorkloadView | undefined>, log: Log): () => void {
  let told: ReadonlySet<string> = new Set();
  const tell = (view: WorkloadView | undefined): void => {
    const uncounted = uncountedLimits(view?.inbound.rateLimits ?? []);
    for (const { limit, problem } of uncounted)
      if (!told.has(`${limit} ${problem}`)) log.warn(`a rate limit ${problem}`, { limit });
    told = new Set(uncounted.map(({ limit, problem }) => `${limit} ${problem}`));
  };
  tell(views.current);
  return views.onChange(tell);
}
