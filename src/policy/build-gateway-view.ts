/** What one gateway workload serves: its servers with their routes and certificates. */

import { gatewayApiServers } from "./gateway-api-servers.ts";
import { isTls, mergeServers, type OfferedServer, type ServersOfPort } from "./gateway-servers.ts";
import { gatewayTls } from "./gateway-tls.ts";
import type {
  GatewayListener,
  GatewayServer,
  GatewayTraffic,
  GatewayView,
} from "./gateway-view.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { offeredServers } from "./offered-servers.ts";
import { destinationPortsOf } from "./routes/destination-ports.ts";
import { commonHosts } from "./routes/host-pattern.ts";
import { narrowerHosts, ownHosts } from "./routes/listener-isolation.ts";
import { RouteBudget } from "./routes/route-budget.ts";
import type { RouteContext } from "./routes/route-source.ts";
import type { StreamRoute } from "./routes/stream-route.ts";
import { VirtualHostCollection } from "./routes/virtual-hosts.ts";
import type { SocketAddress, Workload } from "./workload.ts";
import type { Destination } from "./workload-view.ts";

/** @param destinations of the workload's view */
export function buildGatewayView(
  snapshot: MeshSnapshot,
  {
    workload,
    destinations,
  }: { readonly workload: Workload; readonly destinations: readonly Destination[] },
): GatewayView {
  const { ports } = mergeServers(allServers(snapshot, workload));
  const portsOf = destinationPortsOf(destinations);
  const building = { workload, portsOf, budget: new RouteBudget() };
  return {
    listeners: ports.flatMap((servers) => listenerOf(servers, building)),
  };
}

/** Istio's own Gateways, and those of the Gateway API. */
export function allServers(snapshot: MeshSnapshot, workload: Workload): readonly OfferedServer[] {
  return [...offeredServers(snapshot, workload), ...gatewayApiServers(snapshot, workload)];
}

interface Building {
  readonly workload: Workload;
  readonly portsOf: RouteContext["portsOf"];
  readonly budget: RouteBudget;
}

/** On a machine's loopback a port that the pod does not declare has no place. */
export function placeOf(workload: Workload, containerPort: number): SocketAddress | undefined {
  const declared = workload.ports.find((one) => one.containerPort === containerPort);
  if (declared !== undefined) return declared.listen;
  return workload.addresses && { address: workload.addresses.ipv4, port: containerPort };
}

function listenerOf(
  { containerPort, servers }: ServersOfPort,
  building: Building,
): readonly GatewayListener[] {
  const listen = placeOf(building.workload, containerPort);
  const [first] = servers;
  if (listen === undefined || first === undefined) return [];
  const merged = isTls(first)
    ? servers.map((server) => tlsServer(server, building))
    : [plainServer(servers, building)];
  return [{ port: first.port, containerPort, listen, servers: merged }];
}

function tlsServer(server: OfferedServer, building: Building): GatewayServer {
  const { tls, port } = server.settings;
  const serverNames = [...new Set(server.hosts.map(({ host }) => host))];
  const of = { origins: [server.origin], serverNames };
  if (tls === undefined) return { ...of, traffic: { is: "stream", routes: [] } };
  const isHttp = port.protocol === "https" && !PASSING.includes(tls.mode);
  return {
    ...of,
    tls: gatewayTls(tls, server.secretNamed),
    traffic: isHttp ? httpTraffic([server], building) : streamTraffic(server, building),
  };
}

const PASSING = ["PASSTHROUGH", "AUTO_PASSTHROUGH"];

function plainServer(servers: readonly OfferedServer[], building: Building): GatewayServer {
  const origins = servers.map(({ origin }) => origin);
  const [first] = servers;
  const isHttp = first?.settings.port.protocol === "http";
  return {
    origins,
    serverNames: [],
    traffic:
      first === undefined || isHttp
        ? httpTraffic(servers, building)
        : streamTraffic(first, building),
  };
}

function httpTraffic(servers: readonly OfferedServer[], building: Building): GatewayTraffic {
  const hosts = new VirtualHostCollection();
  for (const server of servers) {
    const context = contextOf(server, building);
    const narrower = narrowerHosts(server, servers);
    for (const host of narrower) hosts.reserve(host);
    for (const source of server.sources) {
      const all = commonHosts(hostsFor(server, source.namespace), source.hosts);
      const common = ownHosts(all, narrower);
      if (common.length === 0) continue;
      const routes = source.httpRoutes(context);
      if (routes.length === 0) continue;
      const key = `${server.gateway} ${source.key}`;
      for (const domain of common) hosts.add(domain, { key, order: source.order, routes });
      if (server.settings.tls?.httpsRedirect)
        for (const domain of common) hosts.redirectToTls(domain);
    }
    if (!server.settings.tls?.httpsRedirect) continue;
    for (const { host } of server.hosts) hosts.redirectToTls(host);
  }
  return { is: "http", virtualHosts: building.budget.within(hosts.virtualHosts) };
}

function hostsFor({ hosts }: OfferedServer, namespace: string): readonly string[] {
  return hosts
    .filter((one) => one.namespace === undefined || one.namespace === namespace)
    .map(({ host }) => host);
}

function contextOf(server: OfferedServer, { workload, portsOf }: Building): RouteContext {
  return { gateway: server.gateway, client: workload, port: server.port, portsOf };
}

/**
 * What is passed on is told apart by its server name; of what is opened, and of TCP, the first route counts. Where hosts are
 * for routes of one namespace, no route of another has their connections, though it names some that are for it, too.
 */
function streamTraffic(server: OfferedServer, building: Building): GatewayTraffic {
  const { tls } = server.settings;
  if (tls?.mode === "AUTO_PASSTHROUGH") return { is: "by-server-name" };
  const context = contextOf(server, building);
  const bound = server.sources.flatMap((source) => {
    const hosts = commonHosts(hostsFor(server, source.namespace), source.hosts);
    return hosts.length === 0 ? [] : [{ source, hosts }];
  });
  if (tls?.mode !== "PASSTHROUGH") {
    const isShared = tls !== undefined && server.hosts.some((one) => one.namespace !== undefined);
    const routes = bound.flatMap(({ source, hosts }) => {
      const own = source.tcpRoutes(context);
      return isShared ? own.map((route) => ({ ...route, serverNames: hosts })) : own;
    });
    return { is: "stream", routes: building.budget.withinStreams(routes) };
  }
  const routes = bound.flatMap(({ source, hosts }) =>
    source.tlsRoutes(context).map((route) => ({
      ...route,
      serverNames: commonHosts(hosts, route.serverNames ?? []),
    })),
  );
  return { is: "stream", routes: building.budget.withinStreams(bySpecificity(routes)) };
}

/** One name of a route at a time, so that the most specific of all comes first, whoever says it. */
function bySpecificity(routes: readonly StreamRoute[]): readonly StreamRoute[] {
  return routes
    .flatMap((route) =>
      (route.serverNames ?? []).map((name) => ({ name, route: { ...route, serverNames: [name] } })),
    )
    .sort((one, other) => rankOf(other.name) - rankOf(one.name))
    .map(({ route }) => route);
}

function rankOf(name: string): number {
  return name.startsWith("*") ? name.length : Number.MAX_SAFE_INTEGER;
}
