/**
 * Mutual TLS of the mesh that a gateway passes on unopened (AUTO_PASSTHROUGH, TLS-44): a chain, and a cluster without TLS of
 * its own, for each destination; only to endpoints that speak mutual TLS, and only for clients that offer a name of the
 * mesh's by ALPN. Source: `createGatewayTCPFilterChainOpts` and `EndpointsWithMTLSFilter` of istio/istio; CVE-2021-31921
 */
import type { Outbound } from "../../policy/workload-view.ts";
import { BY_ADS, type ClusterLoadAssignment, type EnvoyCluster } from "../envoy-json.ts";
import { endpointsOf } from "../outbound/destination-endpoints.ts";
import { type AnyDestination, reachOf } from "../outbound/destination-reach.ts";
import { allDestinations } from "../outbound/outbound-clusters.ts";
import { policyOf, trafficPolicyTerms } from "../outbound/traffic-policy-terms.ts";

/** What tells a proxy of the mesh. */
export const MESH_PROTOCOLS: readonly string[] = [
  "istio",
  "istio-peer-exchange",
  "istio-http/1.0",
  "istio-http/1.1",
  "istio-h2",
];

export function unopenedDestinations(outbound: Outbound): readonly AnyDestination[] {
  return allDestinations(outbound).filter(
    (one) =>
      one.tlsOrigination === undefined &&
      reachOf(one) !== "as called" &&
      one.endpoints.some(({ mutualTls }) => mutualTls),
  );
}

/** Named by the server name, as Istio's. */
export function unopenedClusters(outbound: Outbound): readonly EnvoyCluster[] {
  return unopenedDestinations(outbound).map((destination) => ({
    name: destination.serverName,
    ...trafficPolicyTerms(policyOf(destination)),
    type: "EDS",
    edsClusterConfig: { edsConfig: BY_ADS, serviceName: destination.serverName },
  }));
}

export function unopenedEndpoints(outbound: Outbound): readonly ClusterLoadAssignment[] {
  return unopenedDestinations(outbound).map((destination) => {
    const endpoints = destination.endpoints.filter(({ mutualTls }) => mutualTls);
    return { ...endpointsOf({ ...destination, endpoints }), clusterName: destination.serverName };
  });
}
