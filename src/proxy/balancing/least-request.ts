/** Of two endpoints drawn by chance, the one with fewer active requests: Envoy's default, and Istio's. */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import type { Chance, LoadBalancer } from "./load-balancer.ts";

export class LeastRequest<T> implements LoadBalancer<T> {
  readonly #set: EndpointSet<T>;
  readonly #chance: Chance;

  constructor(set: EndpointSet<T>, chance: Chance) {
    this.#set = set;
    this.#chance = chance;
  }

  /** Both draws may be the same endpoint, and of equals the first draw counts (`unweightedHostPickNChoices`). */
  pick(): BalancedEndpoint<T> | undefined {
    const { candidates } = this.#set;
    const { length } = candidates;
    if (length < 2) return candidates[0];
    const first = candidates[this.#chance(length)];
    const second = candidates[this.#chance(length)];
    if (first === undefined || second === undefined) return first;
    return second.requests.inUse < first.requests.inUse ? second : first;
  }
}
