/** Where a sidecar's connections can lead: clusters, and the endpoints behind them. */

import { formatRef } from "../api/resource.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type {
  Destination,
  DestinationSubset,
  Endpoint,
  InboundPort,
  Trust,
  WorkloadView,
} from "../policy/workload-view.ts";
import type { ClusterLoadAssignment, EnvoyCluster, LbEndpoint } from "./envoy-json.ts";
import {
  BLACK_HOLE,
  configuredBy,
  INBOUND_PASSTHROUGH,
  inboundClusterName,
  OWN_METADATA,
  outboundClusterName,
  PASSTHROUGH,
} from "./istio-names.ts";
import { originatedTls, RAW_BUFFER, upstreamTls } from "./transport-sockets.ts";

type AnyDestination = Destination & Partial<Pick<DestinationSubset, "subset">>;

/** How Istio marks endpoints that speak mutual TLS (TLS-20). */
const TLS_MODE = { tlsMode: "istio" };

export function envoyClusters(view: WorkloadView): readonly EnvoyCluster[] {
  return [
    ...view.inbound.ports.map(inboundCluster),
    ...destinationsOf(view).map((one) => outboundCluster(one, view.trust)),
    ...(view.interception === undefined
      ? []
      : [
          { name: INBOUND_PASSTHROUGH, type: "ORIGINAL_DST" },
          { name: PASSTHROUGH, type: "ORIGINAL_DST" },
          { name: BLACK_HOLE, type: "STATIC" },
        ]),
  ];
}

export function envoyEndpoints(view: WorkloadView): readonly ClusterLoadAssignment[] {
  return [...view.inbound.ports.map(applicationOf), ...destinationsOf(view).map(endpointsOf)];
}

function destinationsOf({ outbound }: WorkloadView): readonly AnyDestination[] {
  return [...outbound.destinations, ...(outbound.subsets ?? [])];
}

function inboundCluster(port: InboundPort): EnvoyCluster {
  return { name: inboundClusterName(port), type: "STATIC", loadAssignment: applicationOf(port) };
}

function applicationOf(port: InboundPort): ClusterLoadAssignment {
  return assignment(inboundClusterName(port), [lbEndpoint(port.application, "HEALTHY", {})]);
}

function outboundCluster(destination: AnyDestination, trust: Trust): EnvoyCluster {
  const { clientTls, trafficPolicy, serviceEntry } = destination;
  const rule = clientTls?.origin ?? trafficPolicy?.origin;
  const metadata = rule && configuredBy(rule.ref);
  const originalDestination = serviceEntry?.resolution === "NONE";
  return {
    name: outboundClusterName(destination),
    type: originalDestination ? "ORIGINAL_DST" : "EDS",
    ...(!originalDestination && {
      edsClusterConfig: {
        edsConfig: { ads: {}, resourceApiVersion: "V3" },
        serviceName: outboundClusterName(destination),
      },
    }),
    ...transportOf(destination, trust),
    ...(metadata && { metadata }),
  };
}

/** Automatic mutual TLS goes by endpoint (TLS-20); what a DestinationRule demands is for all (TLS-30). */
function transportOf(destination: Destination, trust: Trust): object {
  const mode = destination.clientTls?.mode;
  if (mode === "DISABLE") return {};
  if (mode === "ISTIO_MUTUAL") return { transportSocket: upstreamTls(destination, trust) };
  if (mode !== undefined) return { transportSocket: originatedTls(destination) };
  return {
    transportSocketMatches: [
      {
        name: "tlsMode-istio",
        match: TLS_MODE,
        transportSocket: upstreamTls(destination, trust),
      },
      { name: "tlsMode-disabled", match: {}, transportSocket: RAW_BUFFER },
    ],
  };
}

function endpointsOf(destination: AnyDestination): ClusterLoadAssignment {
  const { serviceNamespace, endpoints } = destination;
  return assignment(
    outboundClusterName(destination),
    endpoints.map((endpoint) => reachable(endpoint, serviceNamespace)),
  );
}

function reachable(endpoint: Endpoint, namespace: string): LbEndpoint {
  const { address, workload, mutualTls, refusedBy } = endpoint;
  const refusal =
    refusedBy === undefined
      ? {}
      : { refusedBy: refusedBy.policies.map(formatRef), refusedAs: refusedBy.direction };
  return lbEndpoint(address, refusedBy === undefined ? "HEALTHY" : "UNHEALTHY", {
    ...(mutualTls && { "envoy.transport_socket_match": TLS_MODE }),
    istio: { workload: `${workload};${namespace};;;Kubernetes` },
    [OWN_METADATA]: { pod: workload, mutualTls, ...refusal },
  });
}

function lbEndpoint(
  { address, port }: SocketAddress,
  healthStatus: string,
  filterMetadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): LbEndpoint {
  return {
    endpoint: { address: { socketAddress: { address, portValue: port } } },
    healthStatus,
    ...(Object.keys(filterMetadata).length > 0 && { metadata: { filterMetadata } }),
    loadBalancingWeight: 1,
  };
}

function assignment(
  clusterName: string,
  lbEndpoints: readonly LbEndpoint[],
): ClusterLoadAssignment {
  return {
    clusterName,
    endpoints: lbEndpoints.length === 0 ? [] : [{ locality: {}, lbEndpoints }],
  };
}
