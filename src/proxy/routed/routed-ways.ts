/** How the destinations that routes name are reached under the newest view: worked out once for each that a route has. */
import type { RouteDestination } from "../../policy/routes/virtual-host.ts";
import type { Destination, Endpoint } from "../../policy/workload-view.ts";
import type { Watched } from "../../runtime/watched.ts";
import type { CompiledView } from "../compiled-view.ts";
import type { DestinationBalancer } from "../destination-balancer.ts";
import type { DestinationBalancers } from "../destination-balancers.ts";
import type { Target } from "../exchange.ts";
import { type DestinationName, outboundCluster } from "../outbound-call.ts";
import type { OutboundTargets, RequestContent } from "../outbound-targets.ts";

export interface RoutedWaysOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: Pick<OutboundTargets, "target">;
  readonly balancers: DestinationBalancers;
}

/** What routes say of a destination. */
export type NamedDestination = Pick<RouteDestination, "host" | "port" | "subset">;

export class RoutedWay {
  readonly destination: Destination;
  readonly balancer: DestinationBalancer;
  readonly #options: RoutedWaysOptions;
  readonly #reaching: Partial<Record<RequestContent, (endpoint: Endpoint) => Target>> = {};

  constructor(destination: Destination, balancer: DestinationBalancer, options: RoutedWaysOptions) {
    this.destination = destination;
    this.balancer = balancer;
    this.#options = options;
  }

  /** How its endpoints are reached by requests of one kind; a later try may fall into the time of a newer view. */
  reaching(content: RequestContent): (endpoint: Endpoint) => Target {
    const { targets, compiled } = this.#options;
    this.#reaching[content] ??= (endpoint) => {
      const now = compiled.current.destinations.get(outboundCluster(this.destination));
      return targets.target(now ?? this.destination, endpoint, content);
    };
    return this.#reaching[content];
  }
}

export class RoutedWays {
  readonly #options: RoutedWaysOptions;
  #compiled: CompiledView | undefined = undefined;
  /** By the port that is called. */
  #ways: WeakMap<NamedDestination, Map<number, RoutedWay>> = new WeakMap();

  constructor(options: RoutedWaysOptions) {
    this.#options = options;
  }

  /**
   * @param calledPort for a destination that names none
   * @returns undefined where the view has no such destination
   */
  of(named: NamedDestination, calledPort = 0): RoutedWay | undefined {
    const { compiled } = this.#options;
    if (compiled.current !== this.#compiled) {
      this.#compiled = compiled.current;
      this.#ways = new WeakMap();
    }
    const port = named.port === 0 ? calledPort : named.port;
    let ways = this.#ways.get(named);
    if (ways === undefined) {
      ways = new Map();
      this.#ways.set(named, ways);
    }
    const way = ways.get(port) ?? this.#find({ ...named, port });
    if (way !== undefined) ways.set(port, way);
    return way;
  }

  #find(named: NamedDestination): RoutedWay | undefined {
    const { compiled, balancers } = this.#options;
    const name = destinationName(named);
    const destination = compiled.current.destinations.get(outboundCluster(name));
    const balancer = balancers.of(name);
    if (destination === undefined || balancer === undefined) return undefined;
    return new RoutedWay(destination, balancer, this.#options);
  }
}

export function destinationName({ host, port, subset }: NamedDestination): DestinationName {
  return { host, servicePort: port, ...(subset !== undefined && { subset }) };
}
