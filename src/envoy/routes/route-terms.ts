/** One route of a view as routes of Envoy's. */
import type { ResponseAction } from "../../api/routing/route-parts.ts";
import type {
  ForwardAction,
  HttpRoute,
  RedirectAction,
  RouteDestination,
} from "../../policy/routes/virtual-host.ts";
import { duration, type EnvoyRoute, type FilterSettings } from "../envoy-json.ts";
import { configuredBy, outboundClusterName } from "../istio-names.ts";
import { type CalledClusters, callTerms } from "./called-clusters.ts";
import { headerChanges } from "./header-changes.ts";
import { routeMatch } from "./route-match.ts";
import { filtersOfRoute, mirrorPolicy, retryPolicy } from "./route-policies.ts";
import { climbGuard, pathRewrite, redirectedPath } from "./route-rewrite.ts";

/** What routes of one place have in common. */
export interface RoutePlace {
  /** Where a destination has no port of its own: the one that was called. */
  readonly calledPort: number;
  readonly clusters: CalledClusters;
}

/** No cluster is called so: what is sent there is answered as the action says. */
const NOBODY = "nobody";
/** Envoy ends requests after 15 seconds unless it is told otherwise. */
const WITHOUT_END = "0s";

export function envoyRoutes(route: HttpRoute, place: RoutePlace): readonly EnvoyRoute[] {
  const { match, action, name } = route;
  const translated = routeMatch(match);
  const metadata = configuredBy(route.origin.ref);
  const rewrite = action.do === "forward" ? action.rewrite?.path : undefined;
  const { typedPerFilterConfig: ofCall, ...acted } = actionOf(route, place);
  const typedPerFilterConfig = { ...filtersOfRoute(route), ...ofCall };
  return [
    ...climbGuard(rewrite, match.path, translated),
    {
      ...(name !== undefined && { name }),
      match: translated,
      ...acted,
      ...(Object.keys(typedPerFilterConfig).length > 0 && { typedPerFilterConfig }),
      ...(metadata && { metadata }),
    },
  ];
}

interface Acted extends Pick<EnvoyRoute, "route" | "redirect" | "directResponse"> {
  readonly typedPerFilterConfig?: Readonly<Record<string, FilterSettings>>;
}

function actionOf(route: HttpRoute, place: RoutePlace): Acted {
  const { action, headers } = route;
  switch (action.do) {
    case "respond":
      return { directResponse: ownAnswer(action), ...headerChanges([headers]) };
    case "redirect":
      return { redirect: redirectOf(action, route), ...headerChanges([headers]) };
    case "forward":
      return forward(action, route, place);
  }
}

/** envoy.config.route.v3.DirectResponseAction */
function ownAnswer({ status, body }: ResponseAction): NonNullable<EnvoyRoute["directResponse"]> {
  if (body === undefined) return { status };
  return {
    status,
    body: "text" in body ? { inlineString: body.text } : { inlineBytes: body.base64 },
  };
}

const REDIRECT_CODES: Readonly<Record<RedirectAction["status"], string>> = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

/** envoy.config.route.v3.RedirectAction */
function redirectOf(action: RedirectAction, { match }: HttpRoute): object {
  const { scheme, authority, port, path, status } = action;
  return {
    ...(scheme && { schemeRedirect: scheme }),
    ...(authority && { hostRedirect: authority }),
    ...(port && { portRedirect: port }),
    ...redirectedPath(path, match.path),
    responseCode: REDIRECT_CODES[status],
  };
}

function forward(action: ForwardAction, route: HttpRoute, place: RoutePlace): Acted {
  const { destinations, rewrite, timeoutMs, retries, mirrors = [], unresolved } = action;
  const [only, ...others] = destinations;
  if (only === undefined) return { directResponse: { status: unresolved } };
  const single = others.length === 0;
  const { clusters } = place;
  const named = destinations.map((one) => clusterName(one, place));
  const { action: ofCall, typedPerFilterConfig } = callTerms(named, clusters);
  return {
    route: {
      ...(single
        ? { cluster: clusterName(only, place) }
        : { weightedClusters: { clusters: destinations.map((one) => weighted(one, place)) } }),
      clusterNotFoundResponseCode:
        unresolved === 500 ? "INTERNAL_SERVER_ERROR" : "SERVICE_UNAVAILABLE",
      timeout: timeoutMs === undefined ? WITHOUT_END : duration(timeoutMs),
      ...pathRewrite(rewrite?.path, route.match.path),
      ...authorityOf(rewrite?.authority ?? (single ? only.authority : undefined)),
      ...(retries && { retryPolicy: retryPolicy(retries) }),
      ...(mirrors.length > 0 && {
        requestMirrorPolicies: mirrors.map((one) => mirrorPolicy(one, clusterName(one, place))),
      }),
      ...ofCall,
    },
    ...headerChanges([route.headers, ...(single ? [only.headers] : [])]),
    ...(typedPerFilterConfig && { typedPerFilterConfig }),
  };
}

/** envoy.config.route.v3.WeightedCluster.ClusterWeight */
function weighted(destination: RouteDestination, place: RoutePlace): object {
  const { weight, headers, authority } = destination;
  return {
    name: clusterName(destination, place),
    weight,
    ...headerChanges([headers]),
    ...authorityOf(authority),
  };
}

function authorityOf(authority: string | undefined): object {
  return authority === undefined ? {} : { hostRewriteLiteral: authority };
}

function clusterName(
  {
    host,
    port,
    subset = "",
    problem,
  }: Pick<RouteDestination, "host" | "port" | "subset" | "problem">,
  { calledPort }: RoutePlace,
): string {
  if (problem !== undefined) return NOBODY;
  return outboundClusterName({ host, servicePort: port === 0 ? calledPort : port, subset });
}
