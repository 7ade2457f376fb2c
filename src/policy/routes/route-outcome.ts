/** What a route makes of a request's path and authority: rewritten for the destination, or told to the client. */
import { type PatternReplacement, patternReplacement } from "../../api/pattern-replacement.ts";
import type { PathMatch } from "../../api/routing/http-match.ts";
import type { PathRewrite } from "../../api/routing/route-parts.ts";
import { pathnameOf } from "./routed-request.ts";
import type { HttpRoute } from "./virtual-host.ts";

/**
 * The path that the destination sees.
 *
 * @param path with its query, which stays
 * @returns undefined where it takes too long to say: the request must not be forwarded
 */
export function rewrittenPath(route: HttpRoute, path: string): string | undefined {
  if (route.action.do !== "forward") return path;
  const rewrite = route.action.rewrite?.path;
  return rewrite === undefined ? path : replaced(path, { rewrite, match: route.match.path });
}

/** `.` or `..` as a segment, however a callee may read it: with its dots or slashes encoded, or with parameters behind it. */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c)/i;

/**
 * Whether a rewritten path may lead out of its place: `/static../secret`, with `/files/` for the prefix `/static`, would lead
 * to `/secret`. A dot segment that was there before the rewriting, as in `/a%2f../b`, counts as one that it has made: who may
 * write the one could hide the other behind it.
 */
export function climbs(rewritten: string): boolean {
  return DOT_SEGMENT.test(pathnameOf(rewritten));
}

/** Of a request, what a `Location` is made of. */
export interface RedirectedRequest {
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
}

/** @returns undefined where it takes too long to say, or the route does not redirect */
export function redirectLocation(
  { action, match }: HttpRoute,
  request: RedirectedRequest,
): string | undefined {
  if (action.do !== "redirect") return undefined;
  const { scheme = request.scheme, authority, port, path: rewrite } = action;
  const path =
    rewrite === undefined ? request.path : replaced(request.path, { rewrite, match: match.path });
  if (path === undefined) return undefined;
  const host = authority ?? keptAuthority(request, { scheme, port });
  return `${scheme}://${host}${port === undefined ? "" : `:${port}`}${path}`;
}

/** Where a host demands TLS, and the request came without. */
export function httpsLocation({ authority, path }: Omit<RedirectedRequest, "scheme">): string {
  const host = keptAuthority({ scheme: "http", authority }, { scheme: "https", port: undefined });
  return `https://${host}${path}`;
}

const USUAL_PORTS: Readonly<Record<RedirectedRequest["scheme"], string>> = {
  http: ":80",
  https: ":443",
};

/** Without its port, where another is given, or where it is the usual one of a scheme that is left. */
function keptAuthority(
  { scheme: before, authority }: Pick<RedirectedRequest, "scheme" | "authority">,
  { scheme, port }: { readonly scheme: string; readonly port: number | undefined },
): string {
  const written = /:\d*$/.exec(authority)?.[0];
  if (written === undefined) return authority;
  const goes = port !== undefined || (scheme !== before && written === USUAL_PORTS[before]);
  return goes ? authority.slice(0, -written.length) : authority;
}

function replaced(
  path: string,
  { rewrite, match }: { readonly rewrite: PathRewrite; readonly match: PathMatch | undefined },
): string | undefined {
  // As of OPTIONS: there is nothing of it to replace.
  if (!path.startsWith("/")) return path;
  const pathname = pathnameOf(path);
  const query = path.slice(pathname.length);
  switch (rewrite.do) {
    case "replace-path":
      return asPath(rewrite.path.includes("?") ? rewrite.path : rewrite.path + query);
    case "replace-prefix":
      return asPath(withPrefix(pathname, { prefix: rewrite.prefix, match }) + query);
    case "replace-pattern": {
      const result = replacementOf(rewrite)?.(pathname);
      return result === undefined ? undefined : asPath(result + query);
    }
  }
}

/** What a stranger's path left over must not become the name of another server: `http://...` is a target too. */
function asPath(text: string): string {
  return text.startsWith("/") ? text : `/${text}`;
}

/** What the match took is replaced: all of it, unless it is a prefix. Of segments the slash between them stays one. */
function withPrefix(
  pathname: string,
  { prefix, match }: { readonly prefix: string; readonly match: PathMatch | undefined },
): string {
  switch (match?.kind) {
    case undefined:
      return prefix + pathname.slice(1);
    case "prefix":
      return prefix + pathname.slice(match.path.length);
    case "segments": {
      const kept = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
      return kept + pathname.slice(match.path.length) || "/";
    }
    case "exact":
    case "pattern":
      return prefix;
  }
}

type PatternRewrite = PathRewrite & { readonly do: "replace-pattern" };

/** By the rewrite of the view, which goes with it. */
const replacements = new WeakMap<PatternRewrite, PatternReplacement | "none">();

function replacementOf(rewrite: PatternRewrite): PatternReplacement | undefined {
  let known = replacements.get(rewrite);
  if (known === undefined) {
    const compiled = patternReplacement(rewrite.pattern, rewrite.substitution);
    known = typeof compiled === "string" ? "none" : compiled;
    replacements.set(rewrite, known);
  }
  return known === "none" ? undefined : known;
}
