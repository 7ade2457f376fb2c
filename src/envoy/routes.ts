/** Where requests go that the application sends: what VirtualServices say, and each service's own name. */
import type { PathMatch } from "../api/routing/http-match.ts";
import type { HttpRoute, RouteAction, VirtualHost } from "../policy/routes/virtual-host.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { EnvoyRoute, EnvoyVirtualHost, RouteConfiguration, RouteMatch } from "./envoy-json.ts";
import { BLACK_HOLE, configuredBy, outboundClusterName, PASSTHROUGH } from "./istio-names.ts";

/** Those of one port, named by it as Istio does: `8080`. By port, ascending. */
export function outboundRoutes(view: WorkloadView): readonly RouteConfiguration[] {
  const spoken = view.outbound.destinations.filter(({ protocol }) => protocol !== "tcp");
  const ports = [...new Set(spoken.map(({ servicePort }) => servicePort))].sort((a, b) => a - b);
  return ports.map((port) => ({
    name: String(port),
    virtualHosts: [
      ...spoken
        .filter(({ servicePort }) => servicePort === port)
        .map((destination) => destinationHost(destination, view)),
      ...otherHosts(view),
    ],
  }));
}

/** Of a gateway's listener. */
export function gatewayRoutes(view: WorkloadView): readonly RouteConfiguration[] {
  return (view.gateway?.listeners ?? []).flatMap(({ port, servers }) =>
    servers.flatMap(({ traffic, serverNames, tls }) =>
      traffic.is !== "http"
        ? []
        : [
            {
              name: gatewayRouteName(port, tls === undefined ? undefined : serverNames),
              virtualHosts: traffic.virtualHosts.map((host) => ({
                name: `${host.domains[0] ?? "*"}:${port}`,
                domains: host.domains,
                routes: host.routes.map((route) => envoyRoute(route, port)),
              })),
            },
          ],
    ),
  );
}

/** `http.8080`, `https.8443.api.example.com` */
export function gatewayRouteName(port: number, serverNames: readonly string[] | undefined): string {
  return serverNames === undefined ? `http.${port}` : `https.${port}.${serverNames.join(",")}`;
}

function destinationHost(destination: Destination, view: WorkloadView): EnvoyVirtualHost {
  const { host, servicePort } = destination;
  const users = view.outbound.virtualHosts?.find(({ domains }) => domains.includes(host));
  return {
    name: `${host}:${servicePort}`,
    domains: domainsOf(destination),
    routes:
      users === undefined
        ? [
            {
              name: "default",
              match: { prefix: "/" },
              route: { cluster: outboundClusterName(destination) },
            },
          ]
        : routesOn(users, servicePort),
  };
}

function routesOn({ routes }: VirtualHost, port: number): readonly EnvoyRoute[] {
  return routes
    .filter(({ match }) => match.port === undefined || match.port === port)
    .map((route) => envoyRoute(route, port));
}

function otherHosts({ interception }: WorkloadView): readonly EnvoyVirtualHost[] {
  if (interception === undefined) return [];
  const open = interception.unknownDestinations === "ALLOW_ANY";
  const cluster = open ? PASSTHROUGH : BLACK_HOLE;
  const route: EnvoyRoute = open
    ? { name: "allow_any", match: { prefix: "/" }, route: { cluster } }
    : { name: "block_all", match: { prefix: "/" }, directResponse: { status: 502 } };
  return [{ name: open ? "allow_any" : "block_all", domains: ["*"], routes: [route] }];
}

/** The names that a service answers to, with its addresses. */
function domainsOf({ host, serviceNamespace, serviceName, addresses = [] }: Destination): string[] {
  const short = [
    serviceName,
    `${serviceName}.${serviceNamespace}`,
    `${serviceName}.${serviceNamespace}.svc`,
  ];
  const ofCluster = host.startsWith(`${serviceName}.${serviceNamespace}.svc.`);
  return [host, ...(ofCluster ? short : []), ...addresses];
}

function envoyRoute(route: HttpRoute, calledPort: number): EnvoyRoute {
  const metadata = configuredBy(route.origin.ref);
  return {
    ...(route.name !== undefined && { name: route.name }),
    match: routeMatch(route),
    ...actionOf(route.action, calledPort),
    ...(metadata && { metadata }),
  };
}

function actionOf(
  action: RouteAction,
  calledPort: number,
): Pick<EnvoyRoute, "route" | "redirect" | "directResponse"> {
  if (action.do === "respond") return { directResponse: { status: action.status } };
  if (action.do === "redirect") return { redirect: redirectOf(action) };
  const { destinations, timeoutMs, unresolved } = action;
  const clusters = destinations.map(({ host, port, subset = "", weight }) => ({
    name: outboundClusterName({ host, servicePort: port === 0 ? calledPort : port, subset }),
    weight,
  }));
  const timeout = timeoutMs === undefined ? {} : { timeout: `${timeoutMs / 1000}s` };
  const [only] = clusters;
  if (only === undefined) return { directResponse: { status: unresolved } };
  return {
    route:
      clusters.length === 1
        ? { cluster: only.name, ...timeout }
        : { weightedClusters: { clusters }, ...timeout },
  };
}

function redirectOf(action: Extract<RouteAction, { do: "redirect" }>): object {
  const { scheme, authority, port } = action;
  return {
    ...(scheme && { schemeRedirect: scheme }),
    ...(authority && { hostRedirect: authority }),
    ...(port && { portRedirect: port }),
  };
}

/** What else a match demands is told by name: `headers` and `queryParameters`. */
function routeMatch({ match }: HttpRoute): RouteMatch {
  const { path, headers = [], queryParams = [] } = match;
  return {
    ...pathOf(path),
    ...(headers.length > 0 && { headers: headers.map(({ name }) => ({ name })) }),
    ...(queryParams.length > 0 && { queryParameters: queryParams.map(({ name }) => ({ name })) }),
  };
}

function pathOf(path: PathMatch | undefined): RouteMatch {
  if (path === undefined) return { prefix: "/" };
  if (path.kind === "pattern") return { safeRegex: { regex: path.pattern } };
  const letterCase = path.letterCase === "ignored" ? { caseSensitive: false } : {};
  if (path.kind === "exact") return { path: path.path, ...letterCase };
  return path.kind === "prefix"
    ? { prefix: path.path, ...letterCase }
    : { pathSeparatedPrefix: path.path, ...letterCase };
}
