/** `matches` of an HTTPRoute's rule: what a request must be like. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import type { HttpMatch, NamedMatch, PathMatch } from "../routing/http-match.ts";
import { patternIn } from "../routing/read-http-match.ts";
import { mostItems } from "./gateway-api-values.ts";

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
] as const;

/** A match always has a path: without any it is the prefix `/`. */
export function routeMatch(match: Fields): HttpMatch {
  const method = match.has("method") ? match.choice("method", METHODS, "GET") : undefined;
  const headers = namedMatches(match, "headers").map((one) => ({
    ...one,
    name: one.name.toLowerCase(),
  }));
  const queryParams = namedMatches(match, "queryParams");
  return {
    path: pathMatch(match.section("path")),
    ...(method !== undefined && { method: { kind: "exact", text: method } }),
    ...(headers.length > 0 && { headers }),
    ...(queryParams.length > 0 && { queryParams }),
  };
}

function pathMatch(path: Fields): PathMatch {
  const type = path.choice("type", ["Exact", "PathPrefix", "RegularExpression"], "PathPrefix");
  if (type === "RegularExpression") {
    path.text("value");
    return { kind: "pattern", pattern: patternIn(path, "value") || "/" };
  }
  const value = path.text("value", pathProblem) ?? "/";
  if (type === "Exact") return { kind: "exact", path: value };
  return { kind: "segments", path: value.endsWith("/") ? value.slice(0, -1) : value };
}

const FORBIDDEN = ["//", "/./", "/../", "%2f", "%2F", "#"];
const FORBIDDEN_ENDS = ["/..", "/."];

function pathProblem(value: string): string | undefined {
  if (!value.startsWith("/")) return `${quoted(value)} must begin with "/"`;
  const found =
    FORBIDDEN.find((part) => value.includes(part)) ??
    FORBIDDEN_ENDS.find((end) => value.endsWith(end));
  return found === undefined ? undefined : `${quoted(value)} must not contain ${quoted(found)}`;
}

function namedMatches(match: Fields, field: "headers" | "queryParams"): readonly NamedMatch[] {
  mostItems(match, field, 16);
  const named = match.list(field).map((item): NamedMatch => {
    const type = item.choice("type", ["Exact", "RegularExpression"], "Exact");
    const name = item.requiredText("name");
    const text = item.requiredText("value");
    if (type === "Exact") return { name, value: { kind: "exact", text } };
    return { name, value: { kind: "pattern", pattern: patternIn(item, "value") } };
  });
  const key = ({ name }: NamedMatch): string => (field === "headers" ? name.toLowerCase() : name);
  // Of several with an equivalent name the first counts, so the API says.
  return named.filter(
    (one, index) => named.findIndex((other) => key(other) === key(one)) === index,
  );
}
