/**
 * An endpoint for another try, one that was not tried yet wherever there is one. Istio's retries ask the load balancer up to
 * five times, and then take what they get (`previous_hosts`, `host_selection_retry_max_attempts`); here the rest are
 * looked through then, as an endpoint that just failed is the worst choice.
 */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { LoadBalancer } from "./load-balancer.ts";
import type { Hash64 } from "./word64.ts";

const MOST_FURTHER_PICKS = 5;

export interface Tried<T> {
  readonly tried: readonly BalancedEndpoint<T>[];
  /** All that may be picked. */
  readonly candidates: readonly BalancedEndpoint<T>[];
}

/** @returns one that was tried where all were; undefined where there is none */
export function pickUntried<T>(
  balancer: LoadBalancer<T>,
  { tried, candidates }: Tried<T>,
  hash?: Hash64,
): BalancedEndpoint<T> | undefined {
  let picked = balancer.pick(hash);
  for (let attempt = 1; attempt <= MOST_FURTHER_PICKS; attempt++) {
    if (picked === undefined || !tried.includes(picked)) return picked;
    picked = balancer.pick(hash, attempt);
  }
  return candidates.find((candidate) => !tried.includes(candidate)) ?? picked;
}
