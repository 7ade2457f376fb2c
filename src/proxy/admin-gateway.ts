/** Where a gateway takes connections, as its administration tells it: which hosts each port serves, and where their routes lead. */
import type { GatewayListener, GatewayServer } from "../policy/gateway-view.ts";
import type { HttpRoute } from "../policy/routes/virtual-host.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { ChainDump, ListenerDump } from "./admin-listeners.ts";
import { outboundCluster } from "./outbound-call.ts";
import { destinationName, type NamedDestination } from "./routed/routed-ways.ts";

/** Empty of a pod that is no gateway. Where the kernel leads connections to the sidecar these are the pod's own ports. */
export function gatewayListeners({ gateway }: WorkloadView): readonly ListenerDump[] {
  return (gateway?.listeners ?? []).map((listener) => ({
    name: `gateway ${listener.port}`,
    direction: "inbound",
    addresses: [listener.listen],
    chains: listener.servers.flatMap((server) => chainsOf(server, listener)),
  }));
}

function chainsOf(server: GatewayServer, { port }: GatewayListener): readonly ChainDump[] {
  const { traffic, serverNames } = server;
  if (traffic.is === "by-server-name")
    return serverNames.map((host) => ({ match: { port, host }, cluster: "by server name" }));
  if (traffic.is === "stream") {
    const cluster = clustersOf(traffic.routes.flatMap(({ destinations }) => destinations));
    const names = serverNames.length === 0 ? ["*"] : serverNames;
    return names.map((host) => ({ match: { port, host }, protocol: "tcp", cluster }));
  }
  return traffic.virtualHosts.flatMap(({ domains, routes }) => {
    const cluster = clustersOf(routes.flatMap(destinationsOf));
    return domains.map((host) => ({ match: { port, host }, protocol: "http", cluster }) as const);
  });
}

function destinationsOf({ action }: HttpRoute): readonly NamedDestination[] {
  return action.do === "forward" ? action.destinations : [];
}

function clustersOf(destinations: readonly NamedDestination[]): string {
  const names = destinations.map((one) => outboundCluster(destinationName(one)));
  return names.length === 0 ? "none" : [...new Set(names)].join(", ");
}
