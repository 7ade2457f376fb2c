/**
 * Where VirtualServices lead a request, as far as upstream's frame uses them: so that a case is asked about the gateway,
 * and the pod, that it means. What is tested is what is let in there.
 */
import { items, ofIstioKind, type RenderedPolicy, section } from "./rendered-policies.ts";
import type { EchoPod } from "./topology.ts";

export interface RoutedRequest {
  /** The gateway that has the request; absent: a sidecar. */
  readonly at?: EchoPod;
  readonly host: string;
  readonly path: string;
}

export interface RouteEnd {
  readonly namespace: string;
  readonly service: string;
  readonly port?: number;
  readonly subset?: string;
}

/** The gateways that a sidecar is (`mesh`), as VirtualServices name them. */
const MESH = "mesh";

/** @returns undefined where no route is for the request */
export function virtualRoute(
  policies: readonly RenderedPolicy[],
  request: RoutedRequest,
): RouteEnd | undefined {
  const gateways = request.at === undefined ? [MESH] : gatewaysOf(policies, request.at);
  for (const service of ofIstioKind(policies, "VirtualService")) {
    const { hosts = [], gateways: bound = [MESH] } = lists(service.spec);
    if (!hosts.some((host) => isHost(host, request.host))) continue;
    const usable = bound.filter((name) => gateways.includes(name));
    const http = items(service.spec, "http");
    const route = http.find(
      (candidate) => usable.length > 0 && matches(candidate, usable, request),
    );
    const end = routeEnd(route, service);
    if (end !== undefined) return end;
  }
  return undefined;
}

function lists(spec: unknown): { readonly hosts?: string[]; readonly gateways?: string[] } {
  const read = (name: string): string[] | undefined =>
    section(spec)[name] === undefined ? undefined : items(spec, name).map(String);
  const [hosts, gateways] = [read("hosts"), read("gateways")];
  return { ...(hosts && { hosts }), ...(gateways && { gateways }) };
}

function gatewaysOf(policies: readonly RenderedPolicy[], { labels }: EchoPod): readonly string[] {
  return ofIstioKind(policies, "Gateway")
    .filter(({ spec }) =>
      Object.entries(section(spec, "selector")).every(([key, value]) => labels[key] === value),
    )
    .map(({ metadata }) => metadata.name);
}

function isHost(pattern: string, host: string): boolean {
  const [one, other] = [pattern.toLowerCase(), host.toLowerCase()];
  return one.startsWith("*") ? other.endsWith(one.slice(1)) : one === other;
}

/** A route without `match` is for all. */
function matches(route: unknown, usable: readonly string[], { path }: RoutedRequest): boolean {
  const conditions = items(route, "match");
  if (conditions.length === 0) return true;
  return conditions.some((condition) => {
    const named = items(condition, "gateways").map(String);
    if (named.length > 0 && !named.some((name) => usable.includes(name))) return false;
    const { exact, prefix } = section(condition, "uri");
    if (typeof exact === "string") return path === exact;
    return typeof prefix !== "string" || path.startsWith(prefix);
  });
}

function routeEnd(route: unknown, { metadata }: RenderedPolicy): RouteEnd | undefined {
  const { host, subset } = section(items(route, "route")[0], "destination");
  if (typeof host !== "string") return undefined;
  const [service = "", namespace = metadata.namespace ?? ""] = host.split(".");
  const { number: port } = section(items(route, "route")[0], "destination", "port");
  return {
    namespace,
    service,
    ...(typeof port === "number" && { port }),
    ...(typeof subset === "string" && { subset }),
  };
}
