/** Where requests to a pod's HTTP proxy go, and its tunnels: by host and port, as an application writes them. */
import type { Outbound } from "../../policy/workload-view.ts";
import type { EnvoyRoute, EnvoyVirtualHost, RouteConfiguration } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { remembered } from "../remembered.ts";
import {
  type CallersPlace,
  destinationRouteName,
  namesOf,
  nobodysHosts,
  requestPorts,
} from "./outbound-routes.ts";
import { BLOCK_ALL, unknownHost } from "./unknown-host.ts";
import { renamed, routeConfiguration, routesToDestination } from "./virtual-hosts.ts";

/** Istio's name of them. */
export const HTTP_PROXY_ROUTES = "http_proxy";

const HTTP_PORT = 80;
/** On one machine any name that ends so leads to it (RFC 6761 section 6.3). */
const LOCAL = ".localhost";
const CREDENTIALS = "proxy-authorization";

export const httpProxyRoutes: (outbound: Outbound, place: CallersPlace) => RouteConfiguration =
  remembered((outbound, place) => ({
    ...routeConfiguration(HTTP_PROXY_ROUTES, [
      ...outbound.destinations.flatMap((one) => proxiedHosts(one, outbound, place)),
      ...requestPorts(outbound).flatMap((port) => otherHosts(outbound, port)),
      NOBODY,
    ]),
    ignorePortInHostMatching: false,
    requestHeadersToRemove: [CREDENTIALS],
  }));

/** What the callee is told is a name that means something elsewhere, too. */
function proxiedHosts(
  destination: AnyDestination,
  outbound: Outbound,
  place: CallersPlace,
): readonly EnvoyVirtualHost[] {
  const { servicePort, serviceEntry } = destination;
  const name = destinationRouteName(destination);
  const names = namesOf(destination, place);
  const routes = [tunnelTo(destination), ...routesToDestination(destination, outbound)];
  const ported = (all: readonly string[]): readonly string[] =>
    all.flatMap((one) => withPort(one, servicePort));
  const own = { name, domains: ported(names), routes };
  if (serviceEntry !== undefined) return [own];
  const local = ported(names.map((one) => `${one}${LOCAL}`));
  return [own, { name: `${name}${LOCAL}`, domains: local, routes: renamed(routes, name) }];
}

function tunnelTo(destination: AnyDestination): EnvoyRoute {
  return {
    name: "tunnel",
    match: { connectMatcher: {} },
    route: {
      cluster: outboundClusterName(destination),
      timeout: "0s",
      upgradeConfigs: [{ upgradeType: "CONNECT", connectConfig: {} }],
    },
  };
}

function otherHosts(outbound: Outbound, port: number): readonly EnvoyVirtualHost[] {
  return nobodysHosts(outbound, port).map((virtualHost) => ({
    ...virtualHost,
    domains: (virtualHost.domains ?? []).flatMap((domain) => withPort(domain, port)),
  }));
}

/** The port of `http` is not written. */
function withPort(name: string, port: number): readonly string[] {
  const written = name === "*" ? [] : [`${name}:${port}`];
  return port === HTTP_PORT ? [name, ...written] : written;
}

const NOBODY: EnvoyVirtualHost = {
  name: BLOCK_ALL,
  domains: ["*"],
  routes: [unknownHost({ prefix: "/" }), unknownHost({ connectMatcher: {} })],
};
