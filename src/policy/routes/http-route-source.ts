/** The routes of an HTTPRoute, as its specification and istiod say. */
import { GATEWAY_GROUP } from "../../api/gateway-api/gateway-api-values.ts";
import type {
  HttpRouteResource,
  RouteBackend,
  RouteRule,
} from "../../api/gateway-api/http-route.ts";
import { isGranted, type ReferenceGrant } from "../../api/gateway-api/reference-grant.ts";
import type {
  FilterMirror,
  FilterRedirect,
  RouteFilters,
} from "../../api/gateway-api/route-filters.ts";
import type { HttpMatch } from "../../api/routing/http-match.ts";
import { DEFAULT_RETRIES } from "../../api/routing/read-route-parts.ts";
import type { HeaderOperations } from "../../api/routing/route-parts.ts";
import { serviceHost } from "../service-host.ts";
import type { RouteContext, RouteSource } from "./route-source.ts";
import type { HttpRoute, RedirectAction, RouteAction, RouteDestination } from "./virtual-host.ts";

/** @param granting of all namespaces */
export function httpRouteSource(
  route: HttpRouteResource,
  { grants }: { readonly grants: readonly ReferenceGrant[] },
): RouteSource {
  const { namespace, name } = route.meta;
  return {
    key: `HTTPRoute ${namespace}/${name}`,
    namespace,
    order: "by precedence",
    hosts: route.hostnames.length === 0 ? ["*"] : route.hostnames,
    httpRoutes: (context) =>
      route.rules.flatMap((rule) =>
        rule.matches.map((match) => routeOf(rule, { match, route, grants, context })),
      ),
    tlsRoutes: () => [],
    tcpRoutes: () => [],
  };
}

interface Place {
  readonly route: HttpRouteResource;
  readonly grants: readonly ReferenceGrant[];
  readonly context: RouteContext;
}

function routeOf(
  rule: RouteRule,
  { match, ...place }: Place & { readonly match: HttpMatch },
): HttpRoute {
  const { namespace, name, source } = place.route.meta;
  const headers = headersOf(rule.filters);
  return {
    origin: {
      ref: { kind: "HTTPRoute", namespace, name },
      source: { file: source.file, line: rule.line },
    },
    ...(rule.name !== "" && { name: rule.name }),
    match,
    action: actionOf(rule, place),
    ...(headers && { headers }),
  };
}

function headersOf({
  requestHeaders,
  responseHeaders,
}: RouteFilters): HeaderOperations | undefined {
  if (requestHeaders === undefined && responseHeaders === undefined) return undefined;
  return {
    ...(requestHeaders && { request: requestHeaders }),
    ...(responseHeaders && { response: responseHeaders }),
  };
}

function actionOf(rule: RouteRule, place: Place): RouteAction {
  const { redirect, rewrite, mirrors = [] } = rule.filters;
  if (redirect !== undefined) return redirectOf(redirect, place.context);
  const { requestTimeoutMs, backendTimeoutMs } = rule;
  const timeoutMs = requestTimeoutMs ?? backendTimeoutMs;
  return {
    do: "forward",
    destinations: rule.backends
      .filter(({ weight }) => weight > 0)
      .map((backend) => destinationOf(backend, place)),
    unresolved: 500,
    ...(rewrite && { rewrite }),
    ...(timeoutMs && { timeoutMs }),
    retries: { ...DEFAULT_RETRIES, ...(backendTimeoutMs && { perTryTimeoutMs: backendTimeoutMs }) },
    ...(mirrors.length > 0 && { mirrors: mirrors.flatMap((one) => mirrorOf(one, place)) }),
  };
}

/** Without a port it is the scheme's own, or, where the scheme stays, the listener's. */
function redirectOf(
  { port, ...redirect }: FilterRedirect,
  { port: listened }: RouteContext,
): RedirectAction {
  const told = port ?? (redirect.scheme === undefined ? listened : undefined);
  const usual = redirect.scheme === "https" ? 443 : redirect.scheme === "http" ? 80 : undefined;
  const isUsual = told === usual || (usual === undefined && (told === 80 || told === 443));
  return {
    do: "redirect",
    ...redirect,
    ...(told !== undefined && !isUsual && { port: told }),
  };
}

function destinationOf(backend: RouteBackend, place: Place): RouteDestination {
  const { port, weight, filters, reference } = backend;
  const headers = headersOf(filters);
  return { ...targetOf({ reference, port }, place), weight, ...(headers && { headers }) };
}

function mirrorOf(
  { reference, port, millionths }: FilterMirror,
  place: Place,
): readonly { readonly host: string; readonly port: number; readonly millionths: number }[] {
  const { host, problem, ...target } = targetOf({ reference, port }, place);
  return problem === undefined && millionths > 0 ? [{ ...target, host, millionths }] : [];
}

/** A Service, or, as Istio has it, any host that the mesh knows. */
function targetOf(
  { reference, port }: Pick<RouteBackend, "reference" | "port">,
  { route, grants }: Place,
): Pick<RouteDestination, "host" | "port" | "problem"> {
  const { group, kind, namespace = route.meta.namespace, name } = reference;
  if (group === "networking.istio.io" && kind === "Hostname") {
    return { host: name.toLowerCase(), port };
  }
  const host = serviceHost({ namespace, name });
  if ((group !== "" && group !== "core") || kind !== "Service") {
    return { host, port, problem: `${kind} ${name} is no Service` };
  }
  const from = { group: GATEWAY_GROUP, kind: "HTTPRoute", namespace: route.meta.namespace };
  if (isGranted(grants, { from, to: { ...reference, group: "" } })) return { host, port };
  const problem = `no ReferenceGrant in ${namespace} lets HTTPRoutes of ${route.meta.namespace} name its Service ${name}`;
  return { host, port, problem };
}
