/**
 * The routes of a VirtualService, as istiod makes them of it.
 * Source: `pilot/pkg/networking/core/route/route.go`
 */
import { selects } from "../../api/label-selector.ts";
import type { HttpMatch } from "../../api/routing/http-match.ts";
import { DEFAULT_RETRIES } from "../../api/routing/read-route-parts.ts";
import type { RetryPolicy } from "../../api/routing/route-parts.ts";
import type {
  HttpRule,
  HttpRuleMatch,
  MatchedClients,
  StreamMatch,
  StreamRule,
  VirtualService,
  WeightedDestination,
  WrittenDestination,
} from "../../api/virtual-service.ts";
import { MESH_GATEWAY } from "../../api/virtual-service.ts";
import type { ResourceOrigin } from "../decision.ts";
import { fullHostName } from "./host-pattern.ts";
import { destinationPort, type RouteContext, type RouteSource } from "./route-source.ts";
import type { StreamRoute } from "./stream-route.ts";
import type { HttpRoute, RouteAction, RouteDestination } from "./virtual-host.ts";

/** @param retries what the mesh does where a route says nothing */
export function virtualServiceRoutes(
  service: VirtualService,
  retries: RetryPolicy | "off" = DEFAULT_RETRIES,
): RouteSource {
  const { namespace, name } = service.meta;
  return {
    key: `VirtualService ${namespace}/${name}`,
    namespace,
    order: "as written",
    hosts: service.hosts.map((host) => fullHostName(host, namespace)),
    httpRoutes: (context) => httpRoutes(service, context, retries),
    tlsRoutes: (context) => streamRoutes(service.tls, { service, context }),
    tcpRoutes: (context) => streamRoutes(service.tcp, { service, context }),
  };
}

/** `NAMESPACE/NAME` of each, and `mesh`. */
export function gatewaysOf({ gateways, meta }: VirtualService): readonly string[] {
  return gateways.map((written) => gatewayName(written, meta.namespace));
}

/** Also in the older forms `NAME` and `NAME.NAMESPACE...`. */
export function gatewayName(written: string, namespace: string): string {
  if (written === MESH_GATEWAY) return written;
  const [before = "", after] = written.split("/");
  if (after !== undefined) return before === "." ? `${namespace}/${after}` : written;
  const [name, ofNamespace = namespace] = written.split(".");
  return `${ofNamespace}/${name}`;
}

/** What follows a route for everything is never reached; and such a route comes last, whatever its place. */
function httpRoutes(
  service: VirtualService,
  context: RouteContext,
  retries: RetryPolicy | "off",
): readonly HttpRoute[] {
  const routes: HttpRoute[] = [];
  for (const rule of service.http) {
    if (rule.action.do === "delegate") continue;
    const action = actionOf(rule, { service, context, retries });
    for (const match of rule.matches.length === 0 ? [EVERYTHING] : rule.matches) {
      if (!isFor(match, { service, context })) continue;
      const route = httpRoute(rule, { match, action, service, context });
      routes.push(route);
      if (isForEverything(route)) return routes;
    }
  }
  return routes;
}

const EVERYTHING: HttpRuleMatch = {
  name: "",
  clients: { gateways: [], sourceLabels: {}, sourceNamespace: "" },
  condition: {},
};

/** Whether a route takes all that comes to it, as istiod sees it. */
export function isForEverything({ match }: HttpRoute): boolean {
  const { path, ...others } = match;
  if (Object.keys(others).length > 0) return false;
  switch (path?.kind) {
    case undefined:
      return true;
    case "prefix":
      return path.path === "/";
    case "segments":
      return path.path === "";
    case "pattern":
      return path.pattern === ".*";
    case "exact":
      return false;
  }
}

interface Place {
  readonly service: VirtualService;
  readonly context: RouteContext;
}

/** A match that names gateways asks for nothing else of its clients. */
function isFor(
  { clients, condition }: Pick<HttpRuleMatch, "clients"> & { readonly condition: HttpMatch },
  { service, context }: Place,
): boolean {
  if (context.port !== undefined && condition.port !== undefined) {
    if (condition.port !== context.port) return false;
  }
  return isClient(clients, { service, context });
}

function isClient(
  { gateways, sourceLabels, sourceNamespace }: MatchedClients,
  { service, context }: Place,
): boolean {
  const { gateway, client } = context;
  if (gateways.length > 0) {
    return gateways.some((name) => gatewayName(name, service.meta.namespace) === gateway);
  }
  if (!selects(sourceLabels, client.labels)) return false;
  return sourceNamespace === "" || sourceNamespace === client.namespace;
}

function httpRoute(
  rule: HttpRule,
  {
    match,
    action,
    ...place
  }: Place & { readonly match: HttpRuleMatch; readonly action: RouteAction },
): HttpRoute {
  const name = match.name === "" ? rule.name : `${rule.name}.${match.name}`;
  const { port: _port, ...condition } = match.condition;
  const { headers, cors, fault } = rule;
  return {
    origin: originOf(place.service, rule.line),
    ...(name !== "" && { name }),
    match: place.context.port === undefined ? match.condition : condition,
    action,
    ...(headers && { headers }),
    ...(cors && { cors }),
    ...(fault && { fault }),
  };
}

export function originOf({ kind, meta }: VirtualService, line: number): ResourceOrigin {
  const { namespace, name, source } = meta;
  return { ref: { kind, namespace, name }, source: { file: source.file, line } };
}

function actionOf(
  rule: HttpRule,
  { retries, ...place }: Place & { readonly retries: RetryPolicy | "off" },
): RouteAction {
  const { action, rewrite, timeoutMs, mirrors } = rule;
  switch (action.do) {
    case "respond":
      return action;
    case "redirect": {
      const { port, ...rest } = action;
      const number = port === "request" ? place.context.port : port;
      const usual = rest.scheme === "https" ? 443 : rest.scheme === "http" ? 80 : undefined;
      return { ...rest, ...(number !== undefined && number !== usual && { port: number }) };
    }
    case "delegate":
      return { do: "forward", destinations: [], unresolved: 503 };
    case "forward": {
      const policy = rule.retries ?? retries;
      return {
        do: "forward",
        destinations: action.destinations.map((each) => weightedDestination(each, place)),
        unresolved: 503,
        ...(rewrite && { rewrite }),
        ...(timeoutMs && { timeoutMs }),
        ...(policy !== "off" && { retries: policy }),
        ...(mirrors.length > 0 && {
          mirrors: mirrors.map(({ destination, millionths }) => ({
            ...resolvedDestination(destination, place),
            millionths,
          })),
        }),
      };
    }
  }
}

function weightedDestination(
  { destination, weight, headers, authority }: WeightedDestination,
  place: Place,
): RouteDestination {
  return {
    ...resolvedDestination(destination, place),
    weight,
    ...(headers && { headers }),
    ...(authority !== undefined && { authority }),
  };
}

function resolvedDestination(
  { host: written, port, subset }: WrittenDestination,
  { service, context }: Place,
): Pick<RouteDestination, "host" | "port" | "subset"> {
  const host = fullHostName(written, service.meta.namespace);
  const resolved = destinationPort({ host, ...(port !== undefined && { port }) }, context);
  return { host, port: resolved, ...(subset !== undefined && { subset }) };
}

function streamRoutes(rules: readonly StreamRule[], place: Place): readonly StreamRoute[] {
  return rules.flatMap((rule) => {
    const matches = rule.matches.length === 0 ? [EVERY_STREAM] : rule.matches;
    return matches
      .filter((match) => isStreamFor(match, place))
      .map((match) => streamRoute(rule, { match, ...place }));
  });
}

const EVERY_STREAM: StreamMatch = {
  clients: EVERYTHING.clients,
  serverNames: [],
  destinationSubnets: [],
};

/** At a gateway nothing but gateways and ports counts. */
function isStreamFor(match: StreamMatch, place: Place): boolean {
  const { context } = place;
  if (context.port === undefined) return isClient(match.clients, place);
  if (match.port !== undefined && match.port !== context.port) return false;
  const { gateways } = match.clients;
  const named = gateways.map((name) => gatewayName(name, place.service.meta.namespace));
  return named.length === 0 || named.includes(context.gateway);
}

function streamRoute(
  rule: StreamRule,
  { match, ...place }: Place & { readonly match: StreamMatch },
): StreamRoute {
  const { service, context } = place;
  const { serverNames, destinationSubnets, port } = match;
  const inSidecar = context.port === undefined;
  return {
    origin: originOf(service, rule.line),
    ...(inSidecar && {
      hosts: service.hosts.map((host) => fullHostName(host, service.meta.namespace)),
    }),
    ...(serverNames.length > 0 && { serverNames }),
    ...(destinationSubnets.length > 0 && { destinationSubnets }),
    ...(inSidecar && port !== undefined && { port }),
    destinations: rule.destinations.map(({ destination, weight }) => ({
      ...resolvedDestination(destination, place),
      weight,
    })),
  };
}
