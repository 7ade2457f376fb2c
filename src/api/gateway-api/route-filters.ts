/** `filters` of an HTTPRoute's rule, or of one of its backends: what is done to requests and answers. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { isOfConnection, OF_CONNECTION } from "../routing/connection-headers.ts";
import {
  type HeaderChanges,
  type PathRewrite,
  REDIRECT_STATUSES,
  type RedirectStatus,
  type Rewrite,
} from "../routing/route-parts.ts";
import {
  hostnameProblem,
  mostItems,
  type ObjectReference,
  objectReference,
} from "./gateway-api-values.ts";

export interface RouteFilters {
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
  readonly redirect?: FilterRedirect;
  readonly rewrite?: Rewrite;
  readonly mirrors?: readonly FilterMirror[];
}

export interface FilterRedirect {
  readonly status: RedirectStatus;
  readonly scheme?: "http" | "https";
  readonly authority?: string;
  readonly port?: number;
  readonly path?: PathRewrite;
}

export interface FilterMirror {
  readonly reference: ObjectReference;
  readonly port: number;
  readonly millionths: number;
}

const TYPES = [
  "RequestHeaderModifier",
  "ResponseHeaderModifier",
  "RequestMirror",
  "RequestRedirect",
  "URLRewrite",
] as const;
type FilterType = (typeof TYPES)[number];

/** Each type at most once, but for mirrors. */
export function routeFilters(owner: Fields, place: "rule" | "backend"): RouteFilters {
  mostItems(owner, "filters", 16);
  const seen = new Set<FilterType>();
  let filters: RouteFilters = {};
  for (const filter of owner.list("filters")) {
    const type = typeOf(filter);
    if (type === undefined) continue;
    if (seen.has(type) && type !== "RequestMirror") filter.report("type", `${type} is given twice`);
    seen.add(type);
    if (type === "RequestMirror") filter.noticeHere("RequestMirror has no effect here yet");
    if (place === "backend" && !type.endsWith("HeaderModifier")) {
      filter.report("type", `not supported yet: ${type} of a backend`);
    }
    filters = withFilter(filters, type, filter);
  }
  return filters;
}

function typeOf(filter: Fields): FilterType | undefined {
  const written = filter.requiredText("type");
  const known = TYPES.find((type) => type === written);
  if (known === undefined) {
    if (written !== "") filter.report("type", `not supported yet: ${quoted(written)}`);
    filter.acceptAll();
  }
  return known;
}

function withFilter(filters: RouteFilters, type: FilterType, filter: Fields): RouteFilters {
  const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}`.replace("uRL", "url");
  if (!filter.has(field)) filter.report(field, `is missing; type ${type} needs it`);
  const section = filter.section(field);
  switch (type) {
    case "RequestHeaderModifier":
      return { ...filters, requestHeaders: headerChanges(section) };
    case "ResponseHeaderModifier":
      return { ...filters, responseHeaders: headerChanges(section) };
    case "RequestRedirect":
      return { ...filters, redirect: redirectOf(section) };
    case "URLRewrite":
      return { ...filters, rewrite: rewriteOf(section) };
    case "RequestMirror":
      return { ...filters, mirrors: [...(filters.mirrors ?? []), mirrorOf(section)] };
  }
}

function headerChanges(modifier: Fields): HeaderChanges {
  const values = (name: "set" | "add"): HeaderChanges["set"] => {
    mostItems(modifier, name, 16);
    return modifier.list(name).flatMap((item) => {
      const header = item.requiredText("name", changedNameProblem).toLowerCase();
      const value = item.requiredText("value");
      if (!isOfConnection(header)) return [{ name: header, value }];
      item.notice("name", OF_CONNECTION);
      return [];
    });
  };
  mostItems(modifier, "remove", 16);
  const removed = modifier.texts("remove", changedNameProblem).map((name) => name.toLowerCase());
  for (const [item, name] of removed.entries())
    if (isOfConnection(name)) modifier.notice({ name: "remove", item }, OF_CONNECTION);
  return {
    set: values("set"),
    add: values("add"),
    remove: removed.filter((name) => !isOfConnection(name)),
  };
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

function changedNameProblem(name: string): string | undefined {
  if (!TOKEN.test(name)) return `${quoted(name)} is not the name of a header`;
  return name.toLowerCase() === "host" ? "must not be changed: it is the authority" : undefined;
}

function redirectOf(redirect: Fields): FilterRedirect {
  const scheme = redirect.has("scheme")
    ? redirect.choice("scheme", ["http", "https"], "https")
    : undefined;
  const authority = redirect.text("hostname", preciseHostnameProblem);
  const port = redirect.integer("port", { min: 1, max: 65_535 });
  const path = pathRewrite(redirect);
  const code = redirect.integer("statusCode", { min: 300, max: 399 }) ?? 302;
  const status = REDIRECT_STATUSES.find((one) => one === code);
  if (status === undefined) {
    redirect.report("statusCode", `is ${code}; expected one of ${REDIRECT_STATUSES.join(", ")}`);
  }
  return {
    status: status ?? 302,
    ...(scheme && { scheme }),
    ...(authority && { authority }),
    ...(port !== undefined && { port }),
    ...(path && { path }),
  };
}

function preciseHostnameProblem(name: string): string | undefined {
  if (name.startsWith("*")) return `${quoted(name)} must not have a wildcard`;
  return hostnameProblem(name);
}

function rewriteOf(rewrite: Fields): Rewrite {
  const authority = rewrite.text("hostname", preciseHostnameProblem);
  const path = pathRewrite(rewrite);
  return { ...(path && { path }), ...(authority && { authority }) };
}

function pathRewrite(owner: Fields): PathRewrite | undefined {
  if (!owner.has("path")) return undefined;
  const path = owner.section("path");
  const type = path.choice("type", ["ReplaceFullPath", "ReplacePrefixMatch"], "ReplaceFullPath");
  const field = type === "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch";
  if (!path.has(field)) path.report(field, `is missing; type ${type} needs it`);
  const value = path.text(field) ?? "";
  return type === "ReplaceFullPath"
    ? { do: "replace-path", path: value === "" ? "/" : value }
    : { do: "replace-prefix", prefix: value };
}

function mirrorOf(mirror: Fields): FilterMirror {
  const backend = mirror.section("backendRef");
  const percent = mirror.integer("percent", { min: 0, max: 100 });
  const fraction = mirror.section("fraction");
  const numerator = fraction.integer("numerator", { min: 0, max: 2_147_483_647 });
  const denominator = fraction.integer("denominator", { min: 1, max: 2_147_483_647 }) ?? 100;
  const share = numerator === undefined ? (percent ?? 100) / 100 : numerator / denominator;
  return {
    reference: objectReference(backend, { group: "", kind: "Service" }),
    port: backend.integer("port", { min: 1, max: 65_535 }) ?? 0,
    millionths: Math.min(Math.round(share * 1_000_000), 1_000_000),
  };
}
