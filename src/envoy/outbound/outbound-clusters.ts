/** Where an application's calls can lead: a cluster for each destination, and its endpoints. */
import { DEFAULT_TRAFFIC_POLICY } from "../../policy/effective-traffic-policy.ts";
import type { Interception, Outbound, Trust } from "../../policy/workload-view.ts";
import type { ClusterLoadAssignment, EnvoyCluster } from "../envoy-json.ts";
import { BLACK_HOLE, PASSTHROUGH } from "../istio-names.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { remembered } from "../remembered.ts";
import { clusterOfDestination } from "./destination-cluster.ts";
import { endpointsOf } from "./destination-endpoints.ts";
import { type AnyDestination, reachOf } from "./destination-reach.ts";
import { trafficPolicyTerms } from "./traffic-policy-terms.ts";
import { httpProtocolOptions } from "./upstream-http.ts";

/** Whatever may be called, by whatever name. */
export const allDestinations: (outbound: Outbound) => readonly AnyDestination[] = remembered(
  ({ destinations, subsets = [] }) =>
    subsets.length === 0 ? destinations : [...destinations, ...subsets],
);

export function outboundClusters(
  outbound: Outbound,
  trust: Trust,
  settings: ProxySettings,
): readonly EnvoyCluster[] {
  return clustersOf(allDestinations(outbound), trust, settings);
}

/** The same for all namespaces that call the same. */
const clustersOf: (
  destinations: readonly AnyDestination[],
  trust: Trust,
  settings: ProxySettings,
) => readonly EnvoyCluster[] = remembered((destinations, trust, settings) =>
  destinations.map((one) => clusterOfDestination(one, trust, settings)),
);

/** Of those whose endpoints Envoy asks for. */
export function outboundEndpoints(outbound: Outbound): readonly ClusterLoadAssignment[] {
  return endpointsOfAll(allDestinations(outbound));
}

const endpointsOfAll: (
  destinations: readonly AnyDestination[],
) => readonly ClusterLoadAssignment[] = remembered((destinations) =>
  destinations.filter(isTold).map((one) => toldEndpoints(one)),
);

const toldEndpoints: (destination: AnyDestination) => ClusterLoadAssignment =
  remembered(endpointsOf);

/** For connections to nobody, and to nobody that is known. */
export function strangersClusters(interception: Interception | undefined): readonly EnvoyCluster[] {
  return interception?.unknownDestinations === "ALLOW_ANY" ? ALL_STRANGERS : NOBODY;
}

function isTold(destination: AnyDestination): boolean {
  const reach = reachOf(destination);
  return reach === "told" || reach === "one by one";
}

const NOBODY: readonly EnvoyCluster[] = [
  { name: BLACK_HOLE, type: "STATIC", connectTimeout: "10s" },
];
const ALL_STRANGERS: readonly EnvoyCluster[] = [
  ...NOBODY,
  {
    name: PASSTHROUGH,
    ...trafficPolicyTerms(DEFAULT_TRAFFIC_POLICY),
    type: "ORIGINAL_DST",
    lbPolicy: "CLUSTER_PROVIDED",
    ...httpProtocolOptions({ version: "client's" }),
  },
];
