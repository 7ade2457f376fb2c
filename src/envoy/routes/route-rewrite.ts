/** What a route makes of a request's path, in Envoy's terms. */
import type { PathMatch } from "../../api/routing/http-match.ts";
import type { PathRewrite } from "../../api/routing/route-parts.ts";
import type { EnvoyRoute, RouteMatch } from "../envoy-json.ts";
import { literalPattern } from "./text-matcher.ts";

/** Fields of a route's action. */
export function pathRewrite(
  rewrite: PathRewrite | undefined,
  match: PathMatch | undefined,
): Readonly<Record<string, unknown>> {
  switch (rewrite?.do) {
    case undefined:
      return {};
    case "replace-pattern":
      return replaced(rewrite.pattern, rewrite.substitution);
    case "replace-path":
      return replaced("^/.*$", literalSubstitution(rewrite.path));
    case "replace-prefix":
      return prefixReplaced(rewrite.prefix, match);
  }
}

/** Of a redirect's action. */
export function redirectedPath(
  rewrite: PathRewrite | undefined,
  match: PathMatch | undefined,
): Readonly<Record<string, unknown>> {
  switch (rewrite?.do) {
    case undefined:
      return {};
    case "replace-path":
      return { pathRedirect: rewrite.path };
    case "replace-pattern":
      return replaced(rewrite.pattern, rewrite.substitution);
    case "replace-prefix":
      return prefixReplaced(rewrite.prefix, match);
  }
}

/** Of whole segments the slash between them stays one. */
function prefixReplaced(
  prefix: string,
  match: PathMatch | undefined,
): Readonly<Record<string, unknown>> {
  if (match?.kind !== "segments" || match.path === "") return { prefixRewrite: prefix };
  const kept = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  if (kept !== "") return { prefixRewrite: kept };
  const ignored = match.letterCase === "ignored" ? "(?i)" : "";
  return replaced(`${ignored}^${literalPattern(match.path)}/?`, "/");
}

function replaced(regex: string, substitution: string): Readonly<Record<string, unknown>> {
  return { regexRewrite: { pattern: { regex }, substitution } };
}

function literalSubstitution(text: string): string {
  return text.replaceAll("\\", "\\\\");
}

/** `.` or `..` as the first segment of what follows, however a callee may read it: see `climbs`. */
const DOT_SEGMENT = "(?i:\\.|%2e){1,2}(?:[/\\\\;?].*|%2[fF].*|%5[cC].*)?";

/**
 * The route that comes before one that replaces a prefix of the text: `/static../secret`, with `/files/` for the prefix
 * `/static`, would lead to `/secret`, where nobody was to get.
 *
 * @param translated the match of the route that it guards
 */
export function climbGuard(
  rewrite: PathRewrite | undefined,
  match: PathMatch | undefined,
  translated: RouteMatch,
): readonly EnvoyRoute[] {
  if (rewrite?.do !== "replace-prefix" || !rewrite.prefix.endsWith("/")) return [];
  if (match?.kind !== "prefix" || match.path.endsWith("/")) return [];
  const ignored = match.letterCase === "ignored" ? "(?i)" : "";
  const regex = `${ignored}${literalPattern(match.path)}${DOT_SEGMENT}`;
  const climbing = { name: ":path", stringMatch: { safeRegex: { regex } } };
  return [
    {
      match: { ...translated, headers: [...(translated.headers ?? []), climbing] },
      directResponse: {
        status: 400,
        body: { inlineString: "the path of the request leads out of its place\n" },
      },
    },
  ];
}
