/**
 * What a gRPC program asks for first: the service that it calls, by name and port; and the port that it serves.
 * Source: gRFC A27 (callers), A36 (servers); istiod's `grpcgen/lds.go`
 */
import type { Inbound, Outbound } from "../../policy/workload-view.ts";
import { BY_ADS, type EnvoyListener, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import { HTTP_CONNECTION_MANAGER, outboundClusterName } from "../istio-names.ts";
import { remembered } from "../remembered.ts";
import { type CallersPlace, namesOf } from "../routes/outbound-routes.ts";
import { FAULT } from "../routes/route-policies.ts";
import { proxylessCallees } from "./proxyless-callees.ts";

/** A server asks for this and `ADDRESS:PORT`: Istio's name. */
export const SERVER_LISTENER_PREFIX = "xds.istio.io/grpc/lds/inbound/";

const MANAGER = typeUrl(
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
);
const ROUTER: NetworkFilter = {
  name: "envoy.filters.http.router",
  typedConfig: { "@type": typeUrl("envoy.extensions.filters.http.router.v3.Router") },
};
const FAULTS: NetworkFilter = {
  name: FAULT,
  typedConfig: { "@type": typeUrl("envoy.extensions.filters.http.fault.v3.HTTPFault") },
};
/** Where a server may listen, besides its own address. */
const ANYWHERE = ["0.0.0.0", "::", "127.0.0.1"];

/**
 * One for each name of a service, as `api.shop:80`. A name is of whoever comes first in the view, whether or not gRPC may
 * call it: services come before ServiceEntries, which any namespace writes, and for any host.
 */
export const calledListeners: (
  outbound: Outbound,
  place: CallersPlace,
) => readonly EnvoyListener[] = remembered((outbound, place) => {
  const callees = new Set(proxylessCallees(outbound));
  const taken = new Set<string>();
  return outbound.destinations.flatMap((destination) => {
    const { addresses: _, ...named } = destination;
    const all = namesOf(named, place).map((name) => `${name}:${destination.servicePort}`);
    const own = [...new Set(all)].filter((name) => !taken.has(name));
    for (const name of own) taken.add(name);
    if (!callees.has(destination)) return [];
    const apiListener = { apiListener: manager(outboundClusterName(destination)) };
    return own.map((name) => ({ name, apiListener }));
  });
});

function manager(routes: string): object {
  return {
    "@type": MANAGER,
    statPrefix: routes,
    rds: { configSource: BY_ADS, routeConfigName: routes },
    httpFilters: [FAULTS, ROUTER],
  };
}

/** The pod's proxy stands before the server, takes mutual TLS off and asks policies: what comes from it is plaintext. */
export const servedListeners: (inbound: Inbound) => readonly EnvoyListener[] = remembered(
  ({ ports }) => {
    const places = ports.flatMap(({ application: { address, port } }) =>
      [address, ...ANYWHERE].map((one) => ({ address: one, port })),
    );
    const named = places.map(
      (place) => [`${SERVER_LISTENER_PREFIX}${written(place)}`, place] as const,
    );
    return [...new Map(named)].map(([name, { address, port }]) => ({
      name,
      address: { socketAddress: { address, portValue: port } },
      filterChains: [{ name: "inbound-plaintext", filters: [SERVED] }],
    }));
  },
);

const SERVED: NetworkFilter = {
  name: HTTP_CONNECTION_MANAGER,
  typedConfig: {
    "@type": MANAGER,
    statPrefix: "inbound",
    routeConfig: {
      name: "inbound",
      virtualHosts: [
        {
          name: "inbound",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, nonForwardingAction: {} }],
        },
      ],
    },
    httpFilters: [ROUTER],
  },
};

function written({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
