/** Behind which addresses a destination lies, and what is known of each. */
import { formatRef } from "../../api/resource.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { Endpoint } from "../../policy/workload-view.ts";
import type { ClusterLoadAssignment, EnvoyMetadata, LbEndpoint } from "../envoy-json.ts";
import { OWN_METADATA, outboundClusterName } from "../istio-names.ts";
import { type AnyDestination, reachOf } from "./destination-reach.ts";
import { TLS_MODE } from "./upstream-tls.ts";

/** What Envoy chooses endpoints by, where one of them is meant. */
export const LOAD_BALANCER = "envoy.lb";
/** Under which an endpoint of a headless service says which it is. */
export const ENDPOINT_KEY = "endpoint";

/** Of those that may be called: what a NetworkPolicy keeps the caller from is no endpoint. */
export function endpointsOf(destination: AnyDestination): ClusterLoadAssignment {
  const called = destination.endpoints.filter(({ refusedBy }) => refusedBy === undefined);
  return assignment(
    destination,
    called.map((endpoint) => lbEndpoint(destination, endpoint)),
  );
}

/** For people: those that are refused are shown too, and by whom. */
export function shownEndpoints(destination: AnyDestination): ClusterLoadAssignment {
  return assignment(
    destination,
    destination.endpoints.map((endpoint) => lbEndpoint(destination, endpoint)),
  );
}

/** Those that Envoy looks up by name stand beside those with addresses. */
export function lookedUpEndpoints(destination: AnyDestination): ClusterLoadAssignment {
  const { lookUp = [] } = destination.serviceEntry ?? {};
  const named = lookUp.map(({ workload, host, port, mutualTls }) =>
    lbEndpoint(destination, { workload, mutualTls, address: { address: host, port } }),
  );
  const { endpoints = [] } = endpointsOf(destination);
  const known = endpoints.flatMap(({ lbEndpoints = [] }) => lbEndpoints);
  return assignment(destination, [...named, ...known]);
}

/** As `10.244.0.9:8080`, or `[fd00::9]:8080`. */
export function endpointKey({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function lbEndpoint(destination: AnyDestination, endpoint: Endpoint): LbEndpoint {
  const { address, refusedBy } = endpoint;
  return {
    endpoint: { address: { socketAddress: { address: address.address, portValue: address.port } } },
    healthStatus: refusedBy === undefined ? "HEALTHY" : "UNHEALTHY",
    metadata: metadataOf(destination, endpoint),
    loadBalancingWeight: 1,
  };
}

function metadataOf(
  destination: AnyDestination,
  { workload, address, mutualTls, refusedBy }: Endpoint,
): EnvoyMetadata {
  const refusal =
    refusedBy === undefined
      ? {}
      : { refusedBy: refusedBy.policies.map(formatRef), refusedAs: refusedBy.direction };
  return {
    filterMetadata: {
      ...(mutualTls && { "envoy.transport_socket_match": TLS_MODE }),
      ...(reachOf(destination) === "one by one" && {
        [LOAD_BALANCER]: { [ENDPOINT_KEY]: endpointKey(address) },
      }),
      istio: { workload: `${workload};${destination.serviceNamespace};;;Kubernetes` },
      [OWN_METADATA]: { pod: workload, mutualTls, ...refusal },
    },
  };
}

function assignment(
  destination: AnyDestination,
  lbEndpoints: readonly LbEndpoint[],
): ClusterLoadAssignment {
  return {
    clusterName: outboundClusterName(destination),
    endpoints: lbEndpoints.length === 0 ? [] : [{ locality: {}, lbEndpoints }],
  };
}
