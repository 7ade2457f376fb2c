/** One destination as a cluster of Envoy's. */
import type { EffectiveTrafficPolicy } from "../../policy/effective-traffic-policy.ts";
import type { Trust } from "../../policy/workload-view.ts";
import { BY_ADS, type EnvoyCluster } from "../envoy-json.ts";
import { trustFingerprint } from "../fingerprint.ts";
import { configuredBy, OWN_METADATA, outboundClusterName } from "../istio-names.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { remembered } from "../remembered.ts";
import { ENDPOINT_KEY, lookedUpEndpoints } from "./destination-endpoints.ts";
import { type AnyDestination, reachOf } from "./destination-reach.ts";
import { type ClusterTerms, policyOf, trafficPolicyTerms } from "./traffic-policy-terms.ts";
import { upstreamHttp } from "./upstream-http.ts";
import { upstreamTransport } from "./upstream-tls.ts";

/** As istiod's: names are asked for again as soon as their answer says, and at the latest after this. */
const LOOK_UP_AGAIN = "60s";

export const clusterOfDestination: (
  destination: AnyDestination,
  trust: Trust,
  settings: ProxySettings,
) => EnvoyCluster = remembered((destination, trust, settings) => {
  const { clientTls, trafficPolicy } = destination;
  const origin = clientTls?.origin ?? trafficPolicy?.origin;
  const { filterMetadata: istio } = (origin && configuredBy(origin.ref)) ?? {};
  const isOfMesh = clientTls === undefined || clientTls.mode === "ISTIO_MUTUAL";
  const filterMetadata = {
    ...istio,
    // Connections to callees that are believed no more end with the cluster that they are of.
    ...(isOfMesh && { [OWN_METADATA]: { trust: trustFingerprint(trust) } }),
  };
  const endpoints = reachOf(destination) === "as called" ? "unknown" : "known";
  return {
    name: outboundClusterName(destination),
    ...trafficPolicyTerms(spread(destination)),
    ...discovery(destination),
    ...upstreamHttp(destination, settings),
    ...upstreamTransport(destination, trust, endpoints),
    ...(Object.keys(filterMetadata).length > 0 && { metadata: { filterMetadata } }),
  };
});

/** Nothing is spread where each call says itself where it goes; where none can, it is spread as usual. */
function spread(destination: AnyDestination): EffectiveTrafficPolicy {
  const policy = policyOf(destination);
  if (reachOf(destination) === "as called")
    return { ...policy, loadBalancing: { algorithm: "PASSTHROUGH" } };
  if (policy.loadBalancing.algorithm !== "PASSTHROUGH") return policy;
  return { ...policy, loadBalancing: { algorithm: "LEAST_REQUEST" } };
}

function discovery(destination: AnyDestination): ClusterTerms {
  switch (reachOf(destination)) {
    case "told":
      return byTelling(destination);
    case "one by one":
      return {
        ...byTelling(destination),
        lbSubsetConfig: {
          fallbackPolicy: "ANY_ENDPOINT",
          subsetSelectors: [{ keys: [ENDPOINT_KEY], fallbackPolicy: "NO_FALLBACK" }],
        },
      };
    case "looked up":
      return {
        type: "STRICT_DNS",
        dnsLookupFamily: "ALL",
        dnsRefreshRate: LOOK_UP_AGAIN,
        respectDnsTtl: true,
        loadAssignment: lookedUpEndpoints(destination),
      };
    case "as called":
      return asCalled(destination);
    case "never":
      return { type: "STATIC" };
  }
}

function byTelling(destination: AnyDestination): ClusterTerms {
  return {
    type: "EDS",
    edsClusterConfig: { edsConfig: BY_ADS, serviceName: outboundClusterName(destination) },
  };
}

function asCalled({ serviceEntry }: AnyDestination): ClusterTerms {
  const { targetPort } = serviceEntry ?? {};
  return {
    type: "ORIGINAL_DST",
    ...(targetPort !== undefined && { originalDstLbConfig: { upstreamPortOverride: targetPort } }),
  };
}
