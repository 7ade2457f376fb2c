/** How services are reached that the sidecar calls itself: as the application's own calls. Worked out once for each view. */
import type { Destination } from "../../policy/workload-view.ts";
import type { Watched } from "../../runtime/watched.ts";
import type { CompiledView } from "../compiled-view.ts";
import type { DestinationBalancer } from "../destination-balancer.ts";
import { DestinationAttempts } from "../destination-balancer-attempts.ts";
import type { DestinationBalancers } from "../destination-balancers.ts";
import type { Attempts, Target } from "../exchange.ts";
import { outboundCluster } from "../outbound-call.ts";
import type { OutboundTargets } from "../outbound-targets.ts";
import { reachable } from "../reachable-endpoints.ts";
import { OwnCallError, type OwnRequest, type ServicePlace } from "./own-call.ts";

export interface ServiceWaysOptions {
  readonly compiled: Watched<CompiledView>;
  readonly targets: Pick<OutboundTargets, "target">;
  readonly balancers: Pick<DestinationBalancers, "of">;
}

/** Under one view. */
interface Way {
  readonly compiled: CompiledView;
  readonly destination: Destination;
  readonly balancer: DestinationBalancer;
}

export class ServiceWays {
  readonly #options: ServiceWaysOptions;
  readonly #known: WeakMap<ServicePlace, Way> = new WeakMap();

  constructor(options: ServiceWaysOptions) {
    this.#options = options;
  }

  /** What is returned holds a place in the destination's limits until its `done`. @throws OwnCallError */
  attempts(place: ServicePlace, framing: OwnRequest["framing"]): Attempts<Target> {
    const { destination, balancer } = this.#way(place);
    const selection = balancer.select({ carried: "http" });
    if (selection === "overflow")
      throw new OwnCallError("overflow", `too many requests to ${nameOf(place)} are under way`);
    if (typeof selection === "string")
      throw new OwnCallError("no-endpoint", absence(place, destination));
    const { targets } = this.#options;
    return new DestinationAttempts(selection, (endpoint) =>
      targets.target(destination, endpoint, framing),
    );
  }

  #way(place: ServicePlace): Way {
    const { current } = this.#options.compiled;
    const known = this.#known.get(place);
    if (known?.compiled === current) return known;
    const destination = findService(current.destinations, place);
    const balancer = destination && this.#options.balancers.of(destination);
    if (destination === undefined || balancer === undefined)
      throw new OwnCallError("unknown-destination", `${nameOf(place)} is no service of the mesh`);
    const way = { compiled: current, destination, balancer };
    this.#known.set(place, way);
    return way;
  }
}

/** @returns undefined where the view has no such service, or not in that namespace */
export function findService(
  destinations: CompiledView["destinations"],
  { host, port, namespace }: ServicePlace,
): Destination | undefined {
  const found = destinations.get(outboundCluster({ host, servicePort: port }));
  const isMeant = namespace === undefined || found?.serviceNamespace === namespace;
  return isMeant ? found : undefined;
}

function absence(place: ServicePlace, destination: Destination): string {
  const reach = reachable(destination);
  if (!("refused" in reach)) return `${nameOf(place)} has no ready endpoint`;
  const policies = reach.policies.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
  return `NetworkPolicy ${policies} keeps this pod from ${nameOf(place)}`;
}

function nameOf({ host, port }: ServicePlace): string {
  return `${host}:${port}`;
}
