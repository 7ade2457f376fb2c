/** When a route is for a request, in Envoy's terms. */
import type { ClaimMatch, HttpMatch, NamedMatch, PathMatch } from "../../api/routing/http-match.ts";
import type { RouteMatch } from "../envoy-json.ts";
import {
  headerMatcher,
  literalPattern,
  type StringMatcher,
  stringMatcher,
} from "./text-matcher.ts";

/** Where the filter that verifies tokens leaves their claims. */
const TOKENS = "envoy.filters.http.jwt_authn";
const PAYLOAD = "payload";

/** Its port is settled by where it stands. */
export function routeMatch(match: HttpMatch): RouteMatch {
  const headers = headersOf(match);
  const { queryParams = [], claims = [] } = match;
  const parameters = queryParams.filter(({ not }) => not === undefined);
  return {
    ...pathOf(match.path),
    ...(headers.length > 0 && { headers }),
    ...(parameters.length > 0 && { queryParameters: parameters.map(queryParameter) }),
    ...(claims.length > 0 && { dynamicMetadata: claims.map(claimMatcher) }),
  };
}

function headersOf({
  method,
  scheme,
  authority,
  headers = [],
  queryParams = [],
}: HttpMatch): readonly object[] {
  return [
    ...(method === undefined ? [] : [headerMatcher(":method", method)]),
    ...(scheme === undefined ? [] : [headerMatcher(":scheme", scheme)]),
    ...(authority === undefined ? [] : [headerMatcher(":authority", authority)]),
    ...headers.map(({ name, value, not }) => headerMatcher(nameOf(name), value, not)),
    ...queryParams.filter(({ not }) => not === true).map(withoutQueryParameter),
  ];
}

function nameOf(header: string): string {
  return header === "host" ? ":authority" : header;
}

function pathOf(path: PathMatch | undefined): RouteMatch {
  if (path === undefined) return { prefix: "/" };
  if (path.kind === "pattern") return { safeRegex: { regex: path.pattern } };
  const letterCase = path.letterCase === "ignored" ? { caseSensitive: false } : {};
  if (path.kind === "exact") return { path: path.path, ...letterCase };
  if (path.kind === "prefix" || path.path === "")
    return { prefix: path.path === "" ? "/" : path.path, ...letterCase };
  return { pathSeparatedPrefix: path.path, ...letterCase };
}

/** envoy.config.route.v3.QueryParameterMatcher */
function queryParameter({ name, value }: NamedMatch): object {
  return value === "present"
    ? { name, presentMatch: true }
    : { name, stringMatch: stringMatcher(value) };
}

/** Envoy has no word for it: it is looked for in the path as a whole. */
function withoutQueryParameter({ name, value }: NamedMatch): object {
  const wanted = value === "present" ? "[^&]*" : patternOf(stringMatcher(value));
  const regex = `[^?]*\\?(?:.*&)?${literalPattern(name)}(?:=${wanted})?(?:&.*)?`;
  return { name: ":path", stringMatch: { safeRegex: { regex } }, invertMatch: true };
}

function patternOf(matcher: StringMatcher): string {
  if ("exact" in matcher) return literalPattern(matcher.exact);
  if ("prefix" in matcher) return `${literalPattern(matcher.prefix)}[^&]*`;
  return `(?:${matcher.safeRegex.regex})`;
}

/** envoy.type.matcher.v3.MetadataMatcher: a text, or one text of a list (JWT-68). */
function claimMatcher({ claim, value, not }: ClaimMatch): object {
  const text = {
    stringMatch: value === "present" ? { safeRegex: { regex: ".*" } } : stringMatcher(value),
  };
  return {
    filter: TOKENS,
    path: [PAYLOAD, ...claim].map((key) => ({ key })),
    value: { orMatch: { valueMatchers: [text, { listMatch: { oneOf: text } }] } },
    ...(not === true && { invert: true }),
  };
}
