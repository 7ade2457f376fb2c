/**
 * An endpoint for another try, rather one that was not tried yet: Istio's retries ask for another one up to five times,
 * and then take what there is (`previous_hosts`, `host_selection_retry_max_attempts`).
 */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { LoadBalancer } from "./load-balancer.ts";
import type { Hash64 } from "./word64.ts";

const MOST_FURTHER_PICKS = 5;

export function pickUntried<T>(
  balancer: LoadBalancer<T>,
  tried: readonly BalancedEndpoint<T>[],
  hash?: Hash64,
): BalancedEndpoint<T> | undefined {
  let picked = balancer.pick(hash);
  for (let attempt = 1; attempt <= MOST_FURTHER_PICKS; attempt++) {
    if (picked === undefined || !tried.includes(picked)) return picked;
    picked = balancer.pick(hash, attempt);
  }
  return picked;
}
