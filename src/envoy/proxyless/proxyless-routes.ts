/**
 * Routes that gRPC understands. It refuses a whole configuration for one route that it does not know, so what it cannot do is
 * said otherwise, or leads to nobody: a call that was to be redirected must not reach whom it was kept from.
 * Source: gRFC A28 (routes), A31 (timeouts), A33 (faults), A44 (retries)
 */
import type { Outbound } from "../../policy/workload-view.ts";
import type { EnvoyRoute, FilterSettings, RouteConfiguration, RouteMatch } from "../envoy-json.ts";
import { BLACK_HOLE, outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { remembered } from "../remembered.ts";
import { FAULT } from "../routes/route-policies.ts";
import { literalPattern } from "../routes/text-matcher.ts";
import { routesToDestination } from "../routes/virtual-hosts.ts";
import { proxylessCallees, proxylessClusterNames } from "./proxyless-callees.ts";

/** Named as their clusters, as istiod does. */
export const proxylessRoutes: (outbound: Outbound) => readonly RouteConfiguration[] = remembered(
  (outbound) =>
    proxylessCallees(outbound)
      .filter(({ subset }) => subset === undefined)
      .map((destination) => routesOf(destination, outbound)),
);

function routesOf(destination: AnyDestination, outbound: Outbound): RouteConfiguration {
  const name = outboundClusterName(destination);
  const known = proxylessClusterNames(outbound);
  const routes = routesToDestination(destination, outbound).flatMap((route) =>
    proxylessRoute(route, known),
  );
  // Whoever asks for these routes means this host, by whichever of its names.
  return { name, virtualHosts: [{ name, domains: ["*"], routes }] };
}

/** @returns none for a route that no call of gRPC's can take */
export function proxylessRoute(
  route: EnvoyRoute,
  clusters: ReadonlySet<string>,
): readonly EnvoyRoute[] {
  const match = matchOf(route.match ?? {});
  if (match === undefined) return [];
  const { name, typedPerFilterConfig = {} } = route;
  const fault = typedPerFilterConfig[FAULT];
  return [
    {
      ...(name !== undefined && { name }),
      match,
      route: actionOf(route, clusters),
      ...(fault && { typedPerFilterConfig: { [FAULT]: fault satisfies FilterSettings } }),
    },
  ];
}

/**
 * A call has no query, and no claims that its own program would verify. Patterns stand in brackets: grpc-js puts a mark before
 * and after them, which else belong to the first and the last of several alternatives.
 */
function matchOf(match: RouteMatch): RouteMatch | undefined {
  const { queryParameters, dynamicMetadata, connectMatcher, headers, ...path } = match;
  if (queryParameters ?? dynamicMetadata ?? connectMatcher) return undefined;
  return { ...pathOf(path), ...(headers && { headers: headers.map(whole) }) };
}

function pathOf({ pathSeparatedPrefix, safeRegex, ...path }: RouteMatch): RouteMatch {
  if (safeRegex !== undefined) return { ...path, ...whole({ safeRegex }) };
  if (pathSeparatedPrefix === undefined) return path;
  const { caseSensitive, ...others } = path;
  const letterCase = caseSensitive === false ? "(?i)" : "";
  const regex = `${letterCase}${literalPattern(pathSeparatedPrefix)}(?:/.*)?`;
  return { ...others, safeRegex: { regex } };
}

/** Puts each pattern in a matcher in brackets. */
function whole<Matcher extends object>(matcher: Matcher): Matcher {
  const text = JSON.stringify(matcher, (key, value: unknown) =>
    key === "regex" && typeof value === "string" ? `(?:${value})` : value,
  );
  return JSON.parse(text) as Matcher;
}

type Action = NonNullable<EnvoyRoute["route"]>;

const NOWHERE: Action = { cluster: BLACK_HOLE };

function actionOf({ route: action }: EnvoyRoute, clusters: ReadonlySet<string>): Action {
  if (action === undefined) return NOWHERE;
  const target = targetOf(action, clusters);
  if (target === undefined) return NOWHERE;
  const { timeout, hashPolicy } = action;
  const retryPolicy = retriesOf(action["retryPolicy"]);
  return {
    ...target,
    ...(timeout !== undefined &&
      timeout !== "0s" && { maxStreamDuration: { maxStreamDuration: timeout } }),
    ...(retryPolicy && { retryPolicy }),
    ...(hashPolicy !== undefined && { hashPolicy }),
  };
}

function targetOf(action: Action, clusters: ReadonlySet<string>): Action | undefined {
  const called = (name: string | undefined): string =>
    name !== undefined && clusters.has(name) ? name : BLACK_HOLE;
  const { cluster, weightedClusters } = action;
  if (weightedClusters === undefined) return { cluster: called(cluster) };
  const weighted = (weightedClusters.clusters ?? []).map(({ name, weight }) => ({
    name: called(name),
    weight: weight ?? 0,
  }));
  const isEmpty = weighted.every(({ weight }) => weight === 0);
  return isEmpty ? undefined : { weightedClusters: { clusters: weighted } };
}

/** Of its conditions gRPC keeps those that it knows; a policy without retries it refuses. */
function retriesOf(policy: unknown): object | undefined {
  if (typeof policy !== "object" || policy === null) return undefined;
  const { retryOn, numRetries, retryBackOff }: Readonly<Record<string, unknown>> = { ...policy };
  if (typeof numRetries !== "number" || numRetries < 1) return undefined;
  return { retryOn, numRetries, ...(retryBackOff !== undefined && { retryBackOff }) };
}
