/** Each endpoint in turn; the first by chance, so that sidecars started together do not all begin with the same one. */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import type { Chance, LoadBalancer } from "./load-balancer.ts";

/** Beyond it, numbers would need memory of their own. */
const TURNS = 2 ** 30;

export class RoundRobin<T> implements LoadBalancer<T> {
  readonly #set: EndpointSet<T>;
  #turn: number;

  constructor(set: EndpointSet<T>, chance: Chance) {
    this.#set = set;
    this.#turn = chance(TURNS);
  }

  pick(): BalancedEndpoint<T> | undefined {
    const { candidates } = this.#set;
    if (candidates.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % TURNS;
    return candidates[this.#turn % candidates.length];
  }
}
