/** Routes and matches of a VirtualService that can never be reached, because one before takes their traffic. */
import type { Fields } from "../decoder.ts";
import { canonicalMatch } from "./canonical-match.ts";
import { warnOfCoveredPrefixes } from "./covered-prefixes.ts";

/** @param kind only matches of HTTP routes have names and prefixes of paths */
export function warnOfUnreachableRoutes(routes: readonly Fields[], kind: "http" | "stream"): void {
  const encountered = new Map<string, Fields>();
  const distinct: Fields[] = [];
  let withoutMatch: Fields | undefined;
  for (const route of routes) {
    if (route.itemCount("match") === 0) {
      if (withoutMatch !== undefined) route.noticeHere(neverReached(withoutMatch));
      withoutMatch = route;
    } else if (withoutMatch !== undefined) {
      route.noticeHere(neverReached(withoutMatch));
    } else {
      distinct.push(...firstOfTheirKind(route, encountered));
    }
  }
  if (kind === "http") warnOfCoveredPrefixes(distinct);
}

function neverReached(before: Fields): string {
  return `is never reached: ${before.path} before it has no match, so it takes everything`;
}

/** The matches of a route that no match before equals; the others are told. */
function firstOfTheirKind(route: Fields, encountered: Map<string, Fields>): readonly Fields[] {
  const matches = route.list("match");
  const distinct = matches.filter((match) => {
    const key = canonicalMatch(match);
    const before = encountered.get(key);
    if (before === undefined) encountered.set(key, match);
    else match.noticeHere(`is never reached: ${before.path} matches the same`);
    return before === undefined;
  });
  if (distinct.length === 0 && matches.length > 0) {
    route.noticeHere("is never reached: all of its matches are of routes before it");
  }
  return distinct;
}
