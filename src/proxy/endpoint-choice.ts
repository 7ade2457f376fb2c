/** Which endpoint of a destination serves next: each in turn. */
import type { Destination, Endpoint } from "../policy/workload-view.ts";

export class EndpointChoice {
  readonly #next = new Map<string, number>();
  readonly #random: () => number;

  /** @param random a number in [0, 1): sidecars started together do not all begin with the first endpoint */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** All endpoints, the one whose turn it is first; whoever fails to connect goes on with the second. */
  order({ host, servicePort, endpoints }: Destination): readonly Endpoint[] {
    if (endpoints.length === 0) return [];
    const key = `${host}:${servicePort}`;
    const turn = this.#next.get(key) ?? Math.floor(this.#random() * endpoints.length);
    this.#next.set(key, (turn + 1) % Number.MAX_SAFE_INTEGER);
    const first = turn % endpoints.length;
    return [...endpoints.slice(first), ...endpoints.slice(0, first)];
  }
}
