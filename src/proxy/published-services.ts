/** Ports of services that the host side may connect to, and which endpoint of each serves next: each in turn. */
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, Endpoint } from "../policy/workload-view.ts";
import type { BalancedEndpoint } from "./balancing/balanced-endpoint.ts";
import { EndpointSet } from "./balancing/endpoint-set.ts";
import type { Chance } from "./balancing/load-balancer.ts";
import { pickUntried } from "./balancing/pick-untried.ts";
import { RoundRobin } from "./balancing/round-robin.ts";
import { formatAddress } from "./format-address.ts";

export class PublishedServices {
  readonly #chance: Chance;
  #services: ReadonlyMap<string, PublishedService> = new Map();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** From now on these are all; of those that stay, the turns go on. */
  update(destinations: readonly Destination[]): void {
    const known = this.#services;
    this.#services = new Map(
      destinations.map((destination) => {
        const name = nameOf(destination);
        const service = known.get(name) ?? new PublishedService(this.#chance);
        service.update(destination.endpoints);
        return [name, service];
      }),
    );
  }

  /** @param name `namespace/name:port` */
  find(name: string): PublishedService | undefined {
    return this.#services.get(name);
  }
}

class PublishedService {
  readonly #endpoints: EndpointSet<Endpoint>;
  readonly #turns: RoundRobin<Endpoint>;

  constructor(chance: Chance) {
    this.#endpoints = new EndpointSet({ keyOf: ({ address }) => formatAddress(address) });
    this.#turns = new RoundRobin(this.#endpoints, chance);
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#endpoints.update(endpoints);
    this.#endpoints.takeDrained();
  }

  /** Where one connection is tried, one after the other, each once. @param most how many, at most */
  *tries(most: number): Generator<SocketAddress> {
    const tried: BalancedEndpoint<Endpoint>[] = [];
    while (tried.length < most) {
      const { candidates } = this.#endpoints;
      const next = pickUntried(this.#turns, { tried, candidates });
      if (next === undefined || tried.includes(next)) return;
      tried.push(next);
      yield next.endpoint.address;
    }
  }
}

function nameOf({ serviceNamespace, serviceName, servicePort }: Destination): string {
  return `${serviceNamespace}/${serviceName}:${servicePort}`;
}
