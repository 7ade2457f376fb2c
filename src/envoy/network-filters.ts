/** The filters at the end of a chain: what speaks HTTP, and what passes bytes on. */
import type { FilterChain, NetworkFilter, RouteConfiguration } from "./envoy-json.ts";
import { typeUrl } from "./envoy-json.ts";
import { HTTP_CONNECTION_MANAGER, TCP_PROXY } from "./istio-names.ts";

const ROUTER: NetworkFilter = {
  name: "envoy.filters.http.router",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.filters.http.router.v3.Router"),
    // Nobody here reads what Envoy tells of itself, and an application's own fields of that name stay.
    suppressEnvoyHeaders: true,
  },
};

export interface HttpTraffic {
  readonly statPrefix: string;
  /** Routes within, or the name of those that `routes` of the whole tells. */
  readonly routes: RouteConfiguration | string;
  /** Before the router. */
  readonly httpFilters?: readonly NetworkFilter[];
  /** Whatever else the connection manager is told. */
  readonly terms?: Readonly<Record<string, unknown>>;
}

export function connectionManager({
  statPrefix,
  routes,
  httpFilters = [],
  terms = {},
}: HttpTraffic): NetworkFilter {
  return {
    name: HTTP_CONNECTION_MANAGER,
    typedConfig: {
      "@type": typeUrl(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      ),
      statPrefix,
      ...(typeof routes === "string"
        ? { rds: { configSource: { ads: {}, resourceApiVersion: "V3" }, routeConfigName: routes } }
        : { routeConfig: routes }),
      ...terms,
      httpFilters: [...httpFilters, ROUTER],
    },
  };
}

/**
 * @param cluster its name, also of the statistics
 * @param terms whatever else the filter is told
 */
export function tcpProxy(
  cluster: string,
  terms: Readonly<Record<string, unknown>> = {},
): NetworkFilter {
  return {
    name: TCP_PROXY,
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
      statPrefix: cluster,
      cluster,
      ...terms,
    },
  };
}

/** All requests to one cluster. */
export function routesTo(cluster: string, name: string = cluster): RouteConfiguration {
  return {
    name: cluster,
    virtualHosts: [
      {
        name,
        domains: ["*"],
        routes: [{ name: "default", match: { prefix: "/" }, route: { cluster } }],
      },
    ],
  };
}

/** For all that is read here, in order. */
export function chainsOf({
  filterChains = [],
  defaultFilterChain,
}: {
  readonly filterChains?: readonly FilterChain[];
  readonly defaultFilterChain?: FilterChain;
}): readonly FilterChain[] {
  return defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
}
