/**
 * HTTPRoute of the Gateway API: which requests that come to a gateway go to which services. Checked as its resource
 * definition checks it.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#httproute
 */
import type { Fields } from "../decoder.ts";
import type { ResourceMeta } from "../resource.ts";
import type { HttpMatch } from "../routing/http-match.ts";
import {
  durationAt,
  GATEWAY_GROUP,
  hostnameProblem,
  mostItems,
  type ObjectReference,
  objectReference,
} from "./gateway-api-values.ts";
import { type RouteFilters, routeFilters } from "./route-filters.ts";
import { routeMatch } from "./route-match.ts";

export interface HttpRouteResource {
  readonly kind: "HTTPRoute";
  readonly meta: ResourceMeta;
  readonly parents: readonly RouteParent[];
  /** In lower case; none: those of the listeners. */
  readonly hostnames: readonly string[];
  readonly rules: readonly RouteRule[];
}

/** What a route is bound to: a Gateway, or one of its listeners. */
export interface RouteParent extends ObjectReference {
  readonly line: number;
  /** Of a listener. */
  readonly sectionName?: string;
  readonly port?: number;
}

export interface RouteRule {
  readonly line: number;
  readonly name: string;
  /** At least one. */
  readonly matches: readonly HttpMatch[];
  readonly filters: RouteFilters;
  readonly backends: readonly RouteBackend[];
  /** 0: none. */
  readonly requestTimeoutMs?: number;
  readonly backendTimeoutMs?: number;
}

export interface RouteBackend {
  readonly reference: ObjectReference;
  /** 0 where none is given, which is only right for what is no Service. */
  readonly port: number;
  /** May be 0: it gets nothing. */
  readonly weight: number;
  readonly filters: RouteFilters;
}

const LARGEST_WEIGHT = 1_000_000;

export function httpRoute(meta: ResourceMeta, root: Fields): HttpRouteResource {
  const spec = root.section("spec");
  for (const [name, most] of [
    ["parentRefs", 32],
    ["hostnames", 16],
    ["rules", 16],
  ] as const) {
    mostItems(spec, name, most);
  }
  spec.unused(["useDefaultGateways"]);
  const rules = spec.list("rules").map(routeRule);
  return {
    kind: "HTTPRoute",
    meta,
    parents: spec.list("parentRefs").map(routeParent),
    hostnames: spec.texts("hostnames", hostnameProblem),
    rules: spec.has("rules") ? rules : [EMPTY_RULE],
  };
}

/** What a route without rules has: it matches everything, and leads nowhere. */
const EMPTY_RULE: RouteRule = {
  line: 1,
  name: "",
  matches: [{ path: { kind: "segments", path: "" } }],
  filters: {},
  backends: [],
};

function routeParent(fields: Fields): RouteParent {
  const sectionName = fields.text("sectionName");
  const port = fields.integer("port", { min: 1, max: 65_535 });
  const reference = objectReference(fields, { group: GATEWAY_GROUP, kind: "Gateway" });
  if (reference.kind !== "Gateway" || reference.group !== GATEWAY_GROUP) {
    fields.noticeHere(
      `a route of a ${reference.kind} has no effect here yet; one of a Gateway has`,
    );
  }
  return {
    line: fields.line,
    ...reference,
    ...(sectionName && { sectionName }),
    ...(port !== undefined && { port }),
  };
}

function routeRule(rule: Fields): RouteRule {
  mostItems(rule, "matches", 64);
  mostItems(rule, "backendRefs", 16);
  rule.unsupported(["retry", "sessionPersistence"]);
  const written = rule.list("matches").map(routeMatch);
  const filters = routeFilters(rule, "rule");
  const backends = rule.list("backendRefs").map(routeBackend);
  const matches = written.length === 0 ? EMPTY_RULE.matches : written;
  checkTogether(rule, { filters, backends, matches });
  return {
    line: rule.line,
    name: rule.text("name") ?? "",
    matches,
    filters,
    backends,
    ...timeoutsOf(rule.section("timeouts")),
  };
}

function timeoutsOf(timeouts: Fields): Pick<RouteRule, "requestTimeoutMs" | "backendTimeoutMs"> {
  const requestTimeoutMs = durationAt(timeouts, "request");
  const backendTimeoutMs = durationAt(timeouts, "backendRequest");
  if (requestTimeoutMs && backendTimeoutMs && backendTimeoutMs > requestTimeoutMs) {
    timeouts.report("backendRequest", "must not be longer than request");
  }
  return {
    ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
    ...(backendTimeoutMs !== undefined && { backendTimeoutMs }),
  };
}

function checkTogether(
  rule: Fields,
  { filters, backends, matches }: Pick<RouteRule, "filters" | "backends" | "matches">,
): void {
  const { redirect, rewrite } = filters;
  if (redirect !== undefined && backends.length > 0) {
    rule.report("backendRefs", "must not be given together with a filter RequestRedirect");
  }
  if (redirect !== undefined && rewrite !== undefined) {
    rule.report("filters", "must not have both RequestRedirect and URLRewrite");
  }
  const path = rewrite?.path ?? redirect?.path;
  const [only, ...others] = matches;
  if (path?.do !== "replace-prefix") return;
  if (others.length > 0 || only?.path?.kind !== "segments") {
    rule.report("filters", "ReplacePrefixMatch needs exactly one match, of type PathPrefix");
  }
}

function routeBackend(backend: Fields): RouteBackend {
  const reference = objectReference(backend, { group: "", kind: "Service" });
  const port = backend.integer("port", { min: 1, max: 65_535 });
  if (port === undefined && reference.kind === "Service" && reference.group === "") {
    backend.report("port", "is missing; a Service needs it");
  }
  return {
    reference,
    port: port ?? 0,
    weight: backend.integer("weight", { min: 0, max: LARGEST_WEIGHT }) ?? 1,
    filters: routeFilters(backend, "backend"),
  };
}
