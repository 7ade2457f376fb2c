/** Any endpoint, each as likely. */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import type { Chance, LoadBalancer } from "./load-balancer.ts";

export class Random<T> implements LoadBalancer<T> {
  readonly #set: EndpointSet<T>;
  readonly #chance: Chance;

  constructor(set: EndpointSet<T>, chance: Chance) {
    this.#set = set;
    this.#chance = chance;
  }

  pick(): BalancedEndpoint<T> | undefined {
    const { candidates } = this.#set;
    return candidates.length === 0 ? undefined : candidates[this.#chance(candidates.length)];
  }
}
