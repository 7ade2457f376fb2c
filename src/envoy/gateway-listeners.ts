/** Where a gateway takes connections: a listener for each port, a chain for each server of a Gateway. */
import type { GatewayListener, GatewayServer, GatewayTls } from "../policy/gateway-view.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { httpAuthorizationFilters, tcpAuthorizationFilters } from "./authorization-filters.ts";
import {
  type EnvoyListener,
  type FilterChain,
  type NetworkFilter,
  type TransportSocket,
  typeUrl,
} from "./envoy-json.ts";
import { BLACK_HOLE, outboundClusterName } from "./istio-names.ts";
import { connectionManager, tcpProxy } from "./network-filters.ts";
import { gatewayRouteName } from "./routes.ts";
import { downstreamTls } from "./transport-sockets.ts";

/** Empty of a pod that is no gateway. */
export function gatewayListeners(view: WorkloadView): readonly EnvoyListener[] {
  return (view.gateway?.listeners ?? []).map((listener) => ({
    name: `${listener.listen.address}_${listener.listen.port}`,
    address: {
      socketAddress: { address: listener.listen.address, portValue: listener.listen.port },
    },
    filterChains: listener.servers.map((server) => chainOf(server, listener, view)),
    trafficDirection: "OUTBOUND",
  }));
}

function chainOf(
  server: GatewayServer,
  listener: GatewayListener,
  view: WorkloadView,
): FilterChain {
  const { serverNames, tls } = server;
  const transportSocket = tls && socketOf(tls, view);
  return {
    ...(tls && {
      filterChainMatch: {
        transportProtocol: "tls",
        ...(!serverNames.includes("*") && { serverNames }),
      },
    }),
    filters: filtersOf(server, listener, view),
    ...(transportSocket && { transportSocket }),
  };
}

function filtersOf(
  { traffic, serverNames, tls }: GatewayServer,
  { port }: GatewayListener,
  { inbound }: WorkloadView,
): readonly NetworkFilter[] {
  if (traffic.is === "http") {
    const routes = gatewayRouteName(port, tls === undefined ? undefined : serverNames);
    const httpFilters = httpAuthorizationFilters(inbound);
    return [connectionManager({ statPrefix: `outbound_0.0.0.0_${port}`, routes, httpFilters })];
  }
  // By server name: which cluster, each connection says.
  const first = traffic.is === "stream" ? traffic.routes[0]?.destinations[0] : undefined;
  const cluster =
    first === undefined
      ? BLACK_HOLE
      : outboundClusterName({
          host: first.host,
          servicePort: first.port,
          subset: first.subset ?? "",
        });
  return [...tcpAuthorizationFilters(inbound), tcpProxy(cluster)];
}

/** @returns nothing where TLS is passed on as it is */
function socketOf(
  { mode, certificates }: GatewayTls,
  { trust }: WorkloadView,
): TransportSocket | undefined {
  if (mode === "PASSTHROUGH" || mode === "AUTO_PASSTHROUGH") return undefined;
  if (mode === "ISTIO_MUTUAL") return downstreamTls(trust, "http");
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      commonTlsContext: {
        alpnProtocols: ["h2", "http/1.1"],
        tlsCertificateSdsSecretConfigs: certificates.map(({ origin: { ref } }) => ({
          name: `kubernetes://${ref.namespace}/${ref.name}`,
        })),
      },
      requireClientCertificate: mode === "MUTUAL",
    },
  };
}
