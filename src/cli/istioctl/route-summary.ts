/** `proxy-config routes`: a row for each route of each host. */
import type { EnvoyRoute, RouteConfiguration, RouteMatch } from "../../envoy/envoy-json.ts";
import { PASSTHROUGH } from "../../envoy/istio-names.ts";
import { configuredByInWords } from "./configured-by.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 5;
/** Of how many domains the names are shown. */
const SHOWN_DOMAINS = 2;
const HEADINGS = ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"];

/** @param name of the one that is asked for; absent: all */
export function chosenRoutes(
  routes: readonly RouteConfiguration[],
  { name }: { readonly name?: string },
): readonly RouteConfiguration[] {
  return routes.filter((route) => name === undefined || route.name === name).toSorted(byPort);
}

export function routeSummary(
  routes: readonly RouteConfiguration[],
  { kinds }: SummaryOptions,
): readonly string[] {
  const rows = routes.flatMap(({ name = "", virtualHosts = [] }) =>
    virtualHosts.flatMap(({ name: host = "", domains = [], routes: ways = [] }) => {
      const start = [kinds ? `route/${name}` : name, host, domainsInWords(domains)];
      if (ways.length === 0) return [[...start, "/*", "404"]];
      return ways
        .filter((way) => way.route?.cluster !== PASSTHROUGH)
        .map((way) => [...start, matchInWords(way.match), serviceOf(way)]);
    }),
  );
  return tabColumns([HEADINGS, ...rows], PADDING);
}

/** How a match is told: of headers and parameters nothing. */
export function matchInWords(match: RouteMatch = {}): string {
  const { prefix, pathSeparatedPrefix, path, safeRegex } = match;
  return [
    ...(prefix ? [`${prefix}*`] : []),
    ...(pathSeparatedPrefix ? [`PathPrefix:${pathSeparatedPrefix}`] : []),
    ...(path ? [path] : []),
    ...(safeRegex ? [`regex ${safeRegex.regex ?? ""}`] : []),
  ].join(" ");
}

function serviceOf({ metadata }: EnvoyRoute): string {
  return configuredByInWords(metadata);
}

/** Names with a port first stay where they are. */
function byPort(one: RouteConfiguration, other: RouteConfiguration): number {
  const [left, right] = [Number(one.name || "-"), Number(other.name || "-")];
  return Number.isNaN(left) || Number.isNaN(right) ? 0 : left - right;
}

function domainsInWords(domains: readonly string[]): string {
  const [only] = domains;
  if (only === undefined) return "";
  if (domains.length === 1) return only;
  const known = new Set(domains);
  const shown = domains
    .filter((domain) => !hasPort(domain))
    .filter((domain) =>
      [".svc.cluster.local", ".svc"].every(
        (suffix) => !domain.endsWith(suffix) || !known.has(domain.slice(0, -suffix.length)),
      ),
    );
  const first = shown.slice(0, SHOWN_DOMAINS).join(", ");
  const more = shown.length - SHOWN_DOMAINS;
  return more > 0 ? `${first} + ${more} more...` : first;
}

/** `api:8080`, `[fd00::1]:8080`; an address alone has none. */
function hasPort(domain: string): boolean {
  const colons = domain.split(":").length - 1;
  return colons > 2 ? !domain.endsWith("]") : colons > 0;
}
