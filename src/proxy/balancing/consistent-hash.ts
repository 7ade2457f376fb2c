/** The same endpoint for calls with the same hash, as long as it serves. Calls without one go anywhere. */
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import type { EndpointSet } from "./endpoint-set.ts";
import { HashRing } from "./hash-ring.ts";
import type { Chance, LoadBalancer } from "./load-balancer.ts";
import type { Hash64 } from "./word64.ts";

export interface ConsistentHashOptions<T> {
  readonly chance: Chance;
  readonly minimumRingSize: number;
  /** What places an endpoint on the ring: `10.0.0.1:8080`, as all callers must agree on it. */
  readonly ringKeyOf: (endpoint: T) => string;
}

export class ConsistentHash<T> implements LoadBalancer<T> {
  readonly #set: EndpointSet<T>;
  readonly #options: ConsistentHashOptions<T>;
  #ring: HashRing = new HashRing([], 0);
  #onRing: readonly BalancedEndpoint<T>[] = [];

  constructor(set: EndpointSet<T>, options: ConsistentHashOptions<T>) {
    this.#set = set;
    this.#options = options;
  }

  /** Each further attempt goes one place on, which may be the same endpoint's again. */
  pick(hash?: Hash64, attempt = 0): BalancedEndpoint<T> | undefined {
    if (this.#set.candidates !== this.#onRing) this.#build();
    const { size } = this.#ring;
    if (size === 0) return undefined;
    const place = hash === undefined ? this.#options.chance(size) : this.#ring.placeOf(hash);
    return this.#onRing[this.#ring.ownerOf((place + attempt) % size) ?? 0];
  }

  #build(): void {
    const { minimumRingSize, ringKeyOf } = this.#options;
    this.#onRing = this.#set.candidates;
    const keys = this.#onRing.map(({ endpoint }) => ringKeyOf(endpoint));
    this.#ring = new HashRing(keys, minimumRingSize);
  }
}
