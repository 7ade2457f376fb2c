/** Where VirtualServices lead the calls that a workload makes by itself: those of the gateway `mesh`. */
import { MESH_GATEWAY, type VirtualService } from "../../api/virtual-service.ts";
import type { MeshSnapshot } from "../mesh-snapshot.ts";
import type { Workload } from "../workload.ts";
import type { Destination } from "../workload-view.ts";
import { boundVirtualServices } from "./bound-routes.ts";
import { destinationPortsOf } from "./destination-ports.ts";
import { meshRouteSources } from "./mesh-route-sources.ts";
import { type NamedSubset, namedSubsets, type RoutesOfView } from "./named-subsets.ts";
import { RouteBudget } from "./route-budget.ts";
import type { RouteContext, RouteSource } from "./route-source.ts";
import { VirtualHostCollection } from "./virtual-hosts.ts";

export interface MeshRoutes extends RoutesOfView {
  readonly subsets: readonly NamedSubset[];
}

/** The client, and what it may call, as all clients of its namespace may. */
export interface MeshClient {
  readonly workload: Workload;
  readonly destinations: readonly Destination[];
}

/**
 * Of several VirtualServices for one host the first counts; a gateway makes no calls of its own. Where nothing depends on
 * labels of clients, all of a namespace share what was made for the first.
 */
export function compileMeshRoutes(snapshot: MeshSnapshot): (client: MeshClient) => MeshRoutes {
  if (snapshot.virtualServices.length === 0) return () => NO_ROUTES;
  const byNamespace = new Map<string, (client: MeshClient) => MeshRoutes>();
  return (client) => {
    const { namespace, gateway } = client.workload;
    if (gateway) return NO_ROUTES;
    const known = byNamespace.get(namespace) ?? routesForNamespace(snapshot, namespace);
    byNamespace.set(namespace, known);
    return known(client);
  };
}

function routesForNamespace(
  snapshot: MeshSnapshot,
  namespace: string,
): (client: MeshClient) => MeshRoutes {
  const bound = boundVirtualServices(snapshot, { gateway: MESH_GATEWAY, namespace });
  const sources = meshRouteSources(snapshot, bound);
  if (bound.some(asksForLabels)) return (client) => routesFor(sources, client);
  let shared: MeshRoutes | undefined;
  return (client) => {
    shared ??= routesFor(sources, client);
    return shared;
  };
}

function asksForLabels({ http, tls, tcp }: VirtualService): boolean {
  return [...http, ...tls, ...tcp].some(({ matches }) =>
    matches.some(({ clients }) => Object.keys(clients.sourceLabels).length > 0),
  );
}

function routesFor(
  sources: readonly RouteSource[],
  { workload, destinations }: MeshClient,
): MeshRoutes {
  const context: RouteContext = {
    gateway: MESH_GATEWAY,
    client: workload,
    portsOf: destinationPortsOf(destinations),
  };
  const hosts = new VirtualHostCollection();
  for (const source of sources) {
    const routes = source.httpRoutes(context);
    if (routes.length === 0) continue;
    const { key, order } = source;
    for (const host of source.hosts.filter((one) => !hosts.has(one))) {
      hosts.add(host, { key, order, routes });
    }
  }
  const budget = new RouteBudget();
  const virtualHosts = budget.within(withShortNames(hosts, workload.namespace));
  const streamRoutes = budget.withinStreams(
    sources.flatMap((source) => [...source.tlsRoutes(context), ...source.tcpRoutes(context)]),
  );
  return {
    virtualHosts,
    streamRoutes,
    subsets: namedSubsets({ virtualHosts, streamRoutes }),
  };
}

const NO_ROUTES: MeshRoutes = { virtualHosts: [], streamRoutes: [], subsets: [] };

/** A service is also called by the shorter forms of its name; those that are nobody else's. */
function withShortNames(
  { virtualHosts }: VirtualHostCollection,
  namespace: string,
): RoutesOfView["virtualHosts"] {
  const taken = new Set(virtualHosts.flatMap(({ domains }) => domains));
  return virtualHosts.map((virtualHost) => ({
    ...virtualHost,
    domains: virtualHost.domains.flatMap((domain) => [
      domain,
      ...shortNames(domain, namespace).filter((name) => !taken.has(name)),
    ]),
  }));
}

const SERVICE_SUFFIX = ".svc.cluster.local";

function shortNames(domain: string, namespace: string): readonly string[] {
  if (!domain.endsWith(SERVICE_SUFFIX) || domain.startsWith("*")) return [];
  const withNamespace = domain.slice(0, -SERVICE_SUFFIX.length);
  const [name = "", ofNamespace] = withNamespace.split(".");
  return [`${withNamespace}.svc`, withNamespace, ...(ofNamespace === namespace ? [name] : [])];
}
