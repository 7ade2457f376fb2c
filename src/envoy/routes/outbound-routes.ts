/** Where requests go that the application sends: what VirtualServices say, and each service's own name. */
import { keepEqual } from "../../policy/keep-equal.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { Interception, Outbound } from "../../policy/workload-view.ts";
import type { EnvoyRoute, EnvoyVirtualHost, RouteConfiguration } from "../envoy-json.ts";
import { outboundClusterName, PASSTHROUGH } from "../istio-names.ts";
import { ENDPOINT_KEY, endpointKey, LOAD_BALANCER } from "../outbound/destination-endpoints.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { remembered } from "../remembered.ts";
import { BLOCK_ALL, unknownHost } from "./unknown-host.ts";
import { renamed, routeConfiguration, routesToDestination, usersRoutes } from "./virtual-hosts.ts";

/** The namespace in which short names are understood; the same object for the same one. */
export interface CallersPlace {
  readonly namespace: string;
}

const HTTP_PORT = 80;

/** Ports on which requests are told apart by their host: those of HTTP, and of hosts that only requests name. By port, ascending. */
export const requestPorts: (outbound: Outbound) => readonly number[] = remembered(
  ({ destinations, virtualHosts = [] }) => {
    const ports = destinations.filter(isByHost).map(({ servicePort }) => servicePort);
    const all = new Set(virtualHosts.length > 0 ? [...ports, HTTP_PORT] : ports);
    return [...all].sort((one, other) => one - other);
  },
);

/** What is auto-detected is called by its address, and has routes of its own; but for hosts without one. */
export function isByHost(destination: AnyDestination): boolean {
  const { protocol, serviceEntry, headless } = destination;
  if (protocol === "auto") return serviceEntry !== undefined && !serviceEntry.toldBySni;
  return protocol !== "tcp" && !serviceEntry?.toldBySni && !headless;
}

/** Those of one port, named by it as Istio does: `8080`. */
export const portRoutes: (
  outbound: Outbound,
  place: CallersPlace,
  interception: Interception,
) => readonly RouteConfiguration[] = remembered((outbound, place, interception) => {
  const made = requestPorts(outbound).map((port) => {
    const called = outbound.destinations.filter((one) => one.servicePort === port && isByHost(one));
    return routeConfiguration(String(port), [
      ...called.map((destination) => destinationHost(destination, outbound, place)),
      ...nobodysHosts(outbound, port),
      ...otherHosts(interception),
    ]);
  });
  return keepLatest(made, place, interception);
});

const latest: WeakMap<
  CallersPlace,
  WeakMap<Interception, readonly RouteConfiguration[]>
> = new WeakMap();

/** Where only endpoints are others, as they are most often, the same objects as before: what was made of these stays good. */
function keepLatest(
  made: readonly RouteConfiguration[],
  place: CallersPlace,
  interception: Interception,
): readonly RouteConfiguration[] {
  const known = latest.get(place) ?? new WeakMap<Interception, readonly RouteConfiguration[]>();
  const kept = keepEqual(known.get(interception), made);
  latest.set(place, known.set(interception, kept));
  return kept;
}

/** Of connections that were opened to one destination, whatever host their requests name. */
export const destinationRoutes: (
  destination: AnyDestination,
  outbound: Outbound,
) => RouteConfiguration = remembered((destination, outbound) => {
  const name = destinationRouteName(destination);
  const routes = routesToDestination(destination, outbound);
  const host = { name, domains: ["*"], routes };
  if (destination.listen === undefined) return routeConfiguration(name, [host]);
  const local = { name: `${name}.localhost`, domains: LOCAL, routes: renamed(routes, name) };
  return routeConfiguration(name, [host, local]);
});

/** Names that mean something on this machine only: the callee is told the service's name instead. */
const LOCAL = ["127.0.0.1", "[::1]", "localhost", "*.localhost"];

/** The same, of connections that were opened to one of its pods: what users' routes do not lead elsewhere goes there. */
export function singleEndpointRoutes(
  destination: AnyDestination,
  outbound: Outbound,
  only: SocketAddress,
): RouteConfiguration {
  const name = destinationRouteName(destination);
  const key = endpointKey(only);
  const routes = routesToDestination(destination, outbound).map(
    (route): EnvoyRoute =>
      route.route?.cluster !== outboundClusterName(destination)
        ? route
        : {
            ...route,
            route: {
              ...route.route,
              metadataMatch: { filterMetadata: { [LOAD_BALANCER]: { [ENDPOINT_KEY]: key } } },
            },
          },
  );
  return routeConfiguration(`${name}/${key}`, [{ name, domains: ["*"], routes }]);
}

/** `api.shop.svc.cluster.local:8080`, as Istio's. */
export function destinationRouteName({ host, servicePort }: AnyDestination): string {
  return `${host}:${servicePort}`;
}

/** The names that a service answers to, with its addresses. */
export function namesOf(
  { host, serviceNamespace, serviceName, serviceEntry, addresses = [] }: AnyDestination,
  { namespace }: CallersPlace,
): readonly string[] {
  const numbers = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  if (serviceEntry !== undefined) return [host, ...numbers];
  const own = serviceNamespace === namespace ? [serviceName] : [];
  const qualified = `${serviceName}.${serviceNamespace}`;
  return [host, ...own, qualified, `${qualified}.svc`, ...numbers];
}

function destinationHost(
  destination: AnyDestination,
  outbound: Outbound,
  place: CallersPlace,
): EnvoyVirtualHost {
  const { name, domains } = ownHost(destination, place);
  return { name, domains, routes: routesToDestination(destination, outbound) };
}

const ownHost: (
  destination: AnyDestination,
  place: CallersPlace,
) => { readonly name: string; readonly domains: readonly string[] } = remembered(
  (destination, place) => ({
    name: destinationRouteName(destination),
    domains: namesOf(destination, place),
  }),
);

/** Hosts that no destination has, and that VirtualServices lead somewhere all the same. */
export function nobodysHosts(outbound: Outbound, port: number): readonly EnvoyVirtualHost[] {
  const { virtualHosts = [], destinations } = outbound;
  const onPort = destinations.filter((one) => one.servicePort === port && isByHost(one));
  return virtualHosts.flatMap((virtualHost) => {
    const domains = virtualHost.domains.filter(
      (domain) => !onPort.some(({ host }) => host === domain),
    );
    const [first] = domains;
    if (first === undefined) return [];
    const routes = usersRoutes(virtualHost, outbound, port);
    return [{ name: `${first}:${port}`, domains, routes }];
  });
}

function otherHosts({ unknownDestinations }: Interception): readonly EnvoyVirtualHost[] {
  const open = unknownDestinations === "ALLOW_ANY";
  const name = open ? "allow_any" : BLOCK_ALL;
  const route: EnvoyRoute = open
    ? { name, match: { prefix: "/" }, route: { cluster: PASSTHROUGH, timeout: "0s" } }
    : unknownHost({ prefix: "/" });
  return [{ name, domains: ["*"], routes: [route] }];
}
