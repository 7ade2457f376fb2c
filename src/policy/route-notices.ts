/**
 * What gateways and routes ask for and do not get: servers that are in another's way, certificates that cannot be served,
 * routes that are bound to nothing or lead nowhere.
 */
import { GATEWAY_GROUP } from "../api/gateway-api/gateway-api-values.ts";
import type { HttpRouteResource } from "../api/gateway-api/http-route.ts";
import { quoted } from "../api/quoted.ts";
import { formatRef, type Notice, type Resource } from "../api/resource.ts";
import { type HttpRule, MESH_GATEWAY, type VirtualService } from "../api/virtual-service.ts";
import { boundedNotices } from "./bounded-notices.ts";
import { allServers, placeOf } from "./build-gateway-view.ts";
import { buildDestinations } from "./destinations.ts";
import { isTls, mergeServers, type OfferedServer } from "./gateway-servers.ts";
import { gatewayTls } from "./gateway-tls.ts";
import { buildSnapshot, type MeshSnapshot, ofKind } from "./mesh-snapshot.ts";
import { boundHttpRoutes } from "./routes/bound-http-routes.ts";
import { isBeyondDelegation, MOST_DELEGATED } from "./routes/delegated-rules.ts";
import { fullHostName } from "./routes/host-pattern.ts";
import { httpRouteSource } from "./routes/http-route-source.ts";
import { gatewaysOf } from "./routes/virtual-service-routes.ts";
import { whyUnbound } from "./unbound-http-route.ts";
import type { Workload } from "./workload.ts";

export function routeNotices(
  resources: readonly Resource[],
  workloads: readonly Workload[],
): readonly Notice[] {
  const kinds = new Set(resources.map(({ kind }) => kind));
  if (!ROUTING_KINDS.some((kind) => kinds.has(kind))) return [];
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [] });
  const gateways = oneOfEach(workloads.filter(({ gateway }) => gateway));
  return [
    ...uniqueNotices(gateways.flatMap((workload) => serverNotices(snapshot, workload))),
    ...ofKind(resources, "VirtualService").flatMap((service) =>
      boundedNotices(virtualServiceNotices(service, snapshot)),
    ),
    ...ofKind(resources, "HTTPRoute").flatMap((route) =>
      boundedNotices([...httpRouteNotices(route, snapshot), ...backendNotices(route, snapshot)]),
    ),
  ];
}

const ROUTING_KINDS = ["Gateway", "KubernetesGateway", "VirtualService", "HTTPRoute"] as const;

/** Replicas are alike. */
function oneOfEach(workloads: readonly Workload[]): readonly Workload[] {
  return [
    ...new Map(
      workloads.map((one) => [`${one.namespace}/${one.ownerKind}/${one.owner}`, one]),
    ).values(),
  ];
}

function uniqueNotices(notices: readonly Notice[]): readonly Notice[] {
  const key = ({ source, message }: Notice): string => `${source.file}:${source.line} ${message}`;
  return [...new Map(notices.map((notice) => [key(notice), notice])).values()];
}

function serverNotices(snapshot: MeshSnapshot, workload: Workload): readonly Notice[] {
  const { ports, leftOut } = mergeServers(allServers(snapshot, workload));
  const gateway = `${workload.namespace}/${workload.owner}`;
  return [
    ...leftOut.map(({ server, why }) =>
      noticeOn(server, `is not served by ${gateway}: ${why}; it is left out`),
    ),
    ...ports.flatMap(({ containerPort, servers }) =>
      servers.flatMap((server) => [
        ...(placeOf(workload, containerPort) === undefined
          ? [noticeOn(server, placeless(server, { gateway, containerPort }))]
          : []),
        ...certificateNotices(server),
      ]),
    ),
    ...boundedNotices(ports.flatMap(({ servers }) => sharedHostNotices(servers))),
  ];
}

/** Without TLS all servers of a port are one: who keeps others' routes out in one of them has not kept them out of another. */
function sharedHostNotices(servers: readonly OfferedServer[]): readonly Notice[] {
  const [first] = servers;
  if (first === undefined || isTls(first)) return [];
  const owners = new Map<string, Map<string, OfferedServer>>();
  for (const server of servers) {
    for (const { host } of server.hosts) {
      const known = owners.get(host) ?? new Map<string, OfferedServer>();
      if (!known.has(server.origin.ref.namespace)) known.set(server.origin.ref.namespace, server);
      owners.set(host, known);
    }
  }
  return [...owners].flatMap(([host, byNamespace]) =>
    byNamespace.size < 2 ? [] : sharedHost(host, [...byNamespace.values()]),
  );
}

/** Each of the others is told whose host it has, and the first that it has others. */
function sharedHost(host: string, [first, ...others]: readonly OfferedServer[]): readonly Notice[] {
  const [second] = others;
  if (first === undefined || second === undefined) return [];
  const shares = (server: OfferedServer, { origin: { ref } }: OfferedServer): Notice =>
    noticeOn(
      server,
      `shares its host ${host} with ${formatRef(ref)}: the routes of both are for it`,
    );
  return [shares(first, second), ...others.map((one) => shares(one, first))];
}

function placeless(
  { port }: OfferedServer,
  { gateway, containerPort }: { readonly gateway: string; readonly containerPort: number },
): string {
  return `is not served by ${gateway} on this machine's loopback: its container does not declare port ${containerPort}, where port ${port} leads`;
}

function certificateNotices(server: OfferedServer): readonly Notice[] {
  const { tls } = server.settings;
  const problem = tls && gatewayTls(tls, server.secretNamed).problem;
  return problem === undefined ? [] : [noticeOn(server, `refuses all handshakes: ${problem}`)];
}

function noticeOn({ origin, port }: OfferedServer, what: string): Notice {
  const message = `the server of port ${port} of ${formatRef(origin.ref)} ${what}`;
  return { source: origin.source, path: "", message };
}

function virtualServiceNotices(service: VirtualService, snapshot: MeshSnapshot): readonly Notice[] {
  return [
    ...unknownGateways(service, snapshot),
    ...unknownDelegates(service, snapshot),
    ...rulesBeyondDelegation(service, snapshot),
    ...unknownDestinations(service, snapshot),
  ];
}

function rulesBeyondDelegation(
  { meta }: VirtualService,
  { virtualServices }: Pick<MeshSnapshot, "virtualServices">,
): readonly Notice[] {
  const merged = virtualServices.find(
    (one) => one.meta.namespace === meta.namespace && one.meta.name === meta.name,
  );
  return (merged?.http ?? []).filter(isBeyondDelegation).map(({ line }) => ({
    source: { file: meta.source.file, line },
    path: "",
    message: `this route leads nowhere: more than ${MOST_DELEGATED} routes would come of what VirtualServices of namespace ${meta.namespace} delegate; the answer is 503`,
  }));
}

function unknownDelegates(
  { http, meta }: VirtualService,
  { virtualServices }: Pick<MeshSnapshot, "virtualServices">,
): readonly Notice[] {
  return http.flatMap(({ action, line }) => {
    if (action.do !== "delegate") return [];
    const namespace = action.namespace || meta.namespace;
    const found = virtualServices.some(
      (one) =>
        one.meta.namespace === namespace &&
        one.meta.name === action.name &&
        one.hosts.length === 0 &&
        (one.exportTo.includes("*") || one.exportTo.includes(meta.namespace)),
    );
    if (found) return [];
    const message = `this route is left out: ${quoted(`${namespace}/${action.name}`)}, to which it delegates, is no VirtualService without hosts that is exported to ${meta.namespace}`;
    return [{ source: { file: meta.source.file, line }, path: "", message }];
  });
}

function unknownGateways(
  service: VirtualService,
  { gateways }: Pick<MeshSnapshot, "gateways">,
): readonly Notice[] {
  const known = new Set(gateways.map(({ meta }) => `${meta.namespace}/${meta.name}`));
  return gatewaysOf(service)
    .filter((name) => name !== MESH_GATEWAY && !known.has(name))
    .map((name) => ({
      source: service.meta.source,
      path: "spec.gateways",
      message: `${quoted(name)} is no Gateway of this mesh: nothing is routed there; a name without namespace is of ${service.meta.namespace}`,
    }));
}

/** Other clusters may have what is not here. */
function unknownDestinations(
  { http, tls, tcp, meta }: VirtualService,
  snapshot: MeshSnapshot,
): readonly Notice[] {
  const known = new Set([
    ...buildDestinations(snapshot, "all").map(({ host }) => host),
    ...snapshot.serviceEntries.flatMap(({ hosts }) => hosts.map((host) => host.toLowerCase())),
  ]);
  const named = [
    ...http.flatMap(httpTargets),
    ...[...tls, ...tcp].flatMap(({ line, destinations }) =>
      destinations.map(({ destination }) => ({ line, host: destination.host })),
    ),
  ];
  return named
    .filter(({ host }) => !known.has(fullHostName(host, meta.namespace)))
    .map(({ line, host }) => ({
      source: { file: meta.source.file, line },
      path: "",
      message: `this route leads to ${quoted(host)}, which is neither a service nor a ServiceEntry here: the answer is 503${host.includes(".") ? "" : `; a name without a dot is a service of ${meta.namespace}`}`,
    }));
}

function httpTargets({
  line,
  action,
}: HttpRule): readonly { readonly line: number; readonly host: string }[] {
  if (action.do !== "forward") return [];
  return action.destinations.map(({ destination }) => ({ line, host: destination.host }));
}

/** As they come to nothing at a gateway: not there, not granted, or nothing that could be called. */
function backendNotices(route: HttpRouteResource, snapshot: MeshSnapshot): readonly Notice[] {
  const { grants } = snapshot.gatewayApi;
  const context = { gateway: "", client: { namespace: "", labels: {} }, portsOf: () => [] };
  const known = new Set(buildDestinations(snapshot, "all").map(({ host }) => host));
  const entries = snapshot.serviceEntries.flatMap(({ hosts }) => hosts);
  return httpRouteSource(route, { grants })
    .httpRoutes(context)
    .flatMap(({ action, origin: { source } }) =>
      action.do === "forward" ? action.destinations.map((one) => ({ ...one, source })) : [],
    )
    .flatMap(({ host, problem, source }) => {
      const isThere = known.has(host) || entries.includes(host);
      const why = problem ?? (isThere ? undefined : `there is no Service ${host}`);
      if (why === undefined) return [];
      return [{ source, path: "", message: `a backend of this rule is answered with 500: ${why}` }];
    });
}

/** A parent that is no Gateway is another implementation's matter. */
function httpRouteNotices(route: HttpRouteResource, snapshot: MeshSnapshot): readonly Notice[] {
  const { gatewayApi, namespaceLabels } = snapshot;
  return route.parents
    .filter(({ group, kind }) => group === GATEWAY_GROUP && kind === "Gateway")
    .filter((parent) => {
      const only = { ...route, parents: [parent] };
      return !gatewayApi.gateways.some((gateway) =>
        gateway.listeners.some(
          (listener) =>
            boundHttpRoutes(
              { gatewayApi: { ...gatewayApi, routes: [only] }, namespaceLabels },
              { gateway, listener },
            ).length > 0,
        ),
      );
    })
    .map((parent) => {
      const { namespace = route.meta.namespace, name, line } = parent;
      const why = whyUnbound(route, parent, gatewayApi.gateways);
      return {
        source: { file: route.meta.source.file, line },
        path: "spec.parentRefs",
        message: `${quoted(`${namespace}/${name}`)} has no listener that takes this route: ${why}`,
      };
    });
}
