/** What calls of a cluster need to be told by their route: what of them is hashed, and what the callee's proxy is told by ALPN. */
import type { HashKey } from "../../api/load-balancer-settings.ts";
import type { Outbound } from "../../policy/workload-view.ts";
import { type EnvoyRoute, type FilterSettings, typeUrl } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { allDestinations } from "../outbound/outbound-clusters.ts";
import { policyOf } from "../outbound/traffic-policy-terms.ts";
import { upstreamVersion } from "../outbound/upstream-http.ts";
import { remembered } from "../remembered.ts";
import { hashPolicies } from "./route-policies.ts";

/** By the name of their cluster. */
export type CalledClusters = ReadonlyMap<string, AnyDestination>;

export const calledClusters: (outbound: Outbound) => CalledClusters = remembered(
  (outbound) => new Map(allDestinations(outbound).map((one) => [outboundClusterName(one), one])),
);

export interface CallTerms {
  /** Fields of the route's action. */
  readonly action: NonNullable<EnvoyRoute["route"]>;
  readonly typedPerFilterConfig?: Readonly<Record<string, FilterSettings>>;
}

/** @param names of the clusters that a route leads to; they share what it says */
export function callTerms(names: readonly string[], clusters: CalledClusters): CallTerms {
  const called = names.flatMap((name) => clusters.get(name) ?? []);
  const policies = called.flatMap(hashKeys).flatMap(hashPolicies);
  const [first] = called;
  const follows = first !== undefined && upstreamVersion(first) === "client's";
  return {
    action: policies.length === 0 ? {} : { hashPolicy: policies },
    ...(follows &&
      first.tlsOrigination === undefined && {
        typedPerFilterConfig: { [PROTOCOL_FILTER]: TOLD_PROTOCOL },
      }),
  };
}

export function hashKeys(destination: AnyDestination): readonly HashKey[] {
  const { loadBalancing } = policyOf(destination);
  return loadBalancing.algorithm === "RING_HASH" ? [loadBalancing.key] : [];
}

/** The filter that tells by ALPN what a connection carries, for routes that ask for it (TLS-35). */
export const PROTOCOL_FILTER = "hauberk.alpn";

const SETTINGS = typeUrl("envoy.extensions.filters.http.set_filter_state.v3.Config");

/** By itself it tells nothing. */
export const UNTOLD_PROTOCOL: FilterSettings = { "@type": SETTINGS };

/** Where the client says the version the connection goes on in: HTTP/1.1 and HTTP/2 are different connections. */
const TOLD_PROTOCOL: FilterSettings = {
  "@type": SETTINGS,
  onRequestHeaders: [
    {
      objectKey: "envoy.network.application_protocols",
      formatString: {
        textFormatSource: {
          inlineString:
            '%CEL(request.protocol == "HTTP/2" ? "istio-h2,istio,h2" : "istio-http/1.1,istio,http/1.1")%',
        },
      },
    },
  ],
};
