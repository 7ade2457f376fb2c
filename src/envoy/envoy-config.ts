/**
 * A sidecar's view in the shape of Envoy's configuration, for people and tools that read what Istio's proxies have: in one
 * piece, with the rules of policies where Istio has them. What Envoy knows by bootstrap is left out.
 */
import type { WorkloadView } from "../policy/workload-view.ts";
import type { EnvoyConfig, EnvoyListener } from "./envoy-json.ts";
import { inlinedResources } from "./envoy-resources.ts";
import { socketAddress } from "./outbound/address-ranges.ts";
import { shownEndpoints } from "./outbound/destination-endpoints.ts";
import { callsSocket } from "./outbound/loopback-listeners.ts";
import { allDestinations } from "./outbound/outbound-clusters.ts";
import type { CapturePorts } from "./proxy-settings.ts";

/** What is told to people alone is in the newest form that is known here. */
const NEWEST_VERSION = "1.40.0";

/** @param capture present where the kernel leads the pod's connections to the sidecar */
export function envoyConfig(view: WorkloadView, capture?: CapturePorts): EnvoyConfig {
  const settings = { version: NEWEST_VERSION, ...(capture && { capture }) };
  const { listeners, clusters, routes } = inlinedResources(view, settings);
  const sockets = addressesOfSockets(view);
  return {
    listeners: listeners.map((one) => asCalled(one, sockets)),
    clusters,
    routes,
    endpoints: [
      ...clusters.flatMap(({ loadAssignment }) => loadAssignment ?? []),
      ...allDestinations(view.outbound).map(shownEndpoints),
    ],
  };
}

type Addresses = ReadonlyMap<string, EnvoyListener["address"]>;

function addressesOfSockets({ outbound: { destinations } }: WorkloadView): Addresses {
  return new Map(
    destinations.flatMap(({ listen }) =>
      listen === undefined ? [] : [[callsSocket(listen), socketAddress(listen)] as const],
    ),
  );
}

/** Behind which socket a port is served is between a proxy and its agent. */
function asCalled(listener: EnvoyListener, sockets: Addresses): EnvoyListener {
  const address = sockets.get(listener.address?.pipe?.path ?? "");
  return address === undefined ? listener : { ...listener, address };
}
