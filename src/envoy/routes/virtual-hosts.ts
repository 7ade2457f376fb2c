/** Hosts and their routes, for whoever calls: what users say of a host, or the way to its destination. */
import { DEFAULT_RETRIES } from "../../api/routing/read-route-parts.ts";
import type { HttpRoute, VirtualHost } from "../../policy/routes/virtual-host.ts";
import type { Outbound } from "../../policy/workload-view.ts";
import type { EnvoyRoute, EnvoyVirtualHost, RouteConfiguration } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { remembered } from "../remembered.ts";
import { calledClusters, callTerms } from "./called-clusters.ts";
import { retryPolicy } from "./route-policies.ts";
import { envoyRoutes } from "./route-terms.ts";

/** What a route may answer by itself, in bytes: as istiod's. */
const MOST_OF_AN_ANSWER = 1_048_576;

/** Routes may name clusters that are gone by now; a request is then answered as its route says. */
export function routeConfiguration(
  name: string,
  virtualHosts: readonly EnvoyVirtualHost[],
): RouteConfiguration {
  return {
    name,
    virtualHosts: withDomainsOnce(virtualHosts),
    maxDirectResponseBodySizeBytes: MOST_OF_AN_ANSWER,
    validateClusters: false,
    ignorePortInHostMatching: true,
  };
}

/** Where requests for a destination's host go that come by its port. */
export function routesToDestination(
  destination: AnyDestination,
  outbound: Outbound,
): readonly EnvoyRoute[] {
  const users = usersHostOf(destination.host, outbound);
  if (users === undefined) return defaultRoutes(destination);
  return usersRoutes(users, outbound, destination.servicePort);
}

export function usersRoutes(
  { routes }: VirtualHost,
  outbound: Outbound,
  calledPort: number,
): readonly EnvoyRoute[] {
  const place = { calledPort, clusters: calledClusters(outbound) };
  return routes
    .filter((route) => isOnPort(route, calledPort))
    .flatMap((route) => envoyRoutes(route, place));
}

/** A VirtualService's host that is the most specific, as `RouteTable.hostOf` finds it. */
export function usersHostOf(
  host: string,
  { virtualHosts = [] }: Outbound,
): VirtualHost | undefined {
  let found: { readonly length: number; readonly virtualHost: VirtualHost } | undefined;
  for (const virtualHost of virtualHosts) {
    for (const domain of virtualHost.domains) {
      if (domain === host) return virtualHost;
      const suffix = domain.startsWith("*") ? domain.slice(1) : undefined;
      if (suffix === undefined || !host.endsWith(suffix)) continue;
      if (suffix !== "" && suffix.length >= host.length) continue;
      if (found === undefined || suffix.length > found.length)
        found = { length: suffix.length, virtualHost };
    }
  }
  return found?.virtualHost;
}

/** Where nothing else says what the callee is told. */
export function renamed(routes: readonly EnvoyRoute[], authority: string): readonly EnvoyRoute[] {
  return routes.map((route) => {
    const { route: action, match } = route;
    if (action === undefined || match?.connectMatcher !== undefined) return route;
    if (action["hostRewriteLiteral"] !== undefined) return route;
    return { ...route, route: { ...action, hostRewriteLiteral: authority } };
  });
}

/** To the destination itself, whatever else can be called. */
export const defaultRoutes: (destination: AnyDestination) => readonly EnvoyRoute[] = remembered(
  (destination) => {
    const cluster = outboundClusterName(destination);
    const { action, typedPerFilterConfig } = callTerms(
      [cluster],
      new Map([[cluster, destination]]),
    );
    const route: EnvoyRoute = {
      name: "default",
      match: { prefix: "/" },
      route: { cluster, timeout: "0s", retryPolicy: retryPolicy(DEFAULT_RETRIES), ...action },
      ...(typedPerFilterConfig && { typedPerFilterConfig }),
    };
    return [route];
  },
);

function isOnPort({ match: { port } }: HttpRoute, calledPort: number): boolean {
  return port === undefined || port === calledPort;
}

/** Envoy refuses routes in which a domain stands twice: the first counts. */
function withDomainsOnce(virtualHosts: readonly EnvoyVirtualHost[]): readonly EnvoyVirtualHost[] {
  const taken = new Set<string>();
  return virtualHosts.flatMap((virtualHost) => {
    const own = (virtualHost.domains ?? []).filter((domain) => !taken.has(domain));
    const domains = [...new Set(own)];
    for (const domain of domains) taken.add(domain);
    if (domains.length === 0) return [];
    return [
      domains.length === virtualHost.domains?.length ? virtualHost : { ...virtualHost, domains },
    ];
  });
}
