/**
 * Which of several routes of the Gateway API counts, whatever their order in files: the more specific path, then a method,
 * then more headers, then more parameters; of equals the one that was given first.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
 */
import type { HttpMatch } from "../../api/routing/http-match.ts";
import type { HttpRoute } from "./virtual-host.ts";

export function byPrecedence({ match: one }: HttpRoute, { match: other }: HttpRoute): number {
  const [left, right] = [ranksOf(one), ranksOf(other)];
  for (const [index, rank] of left.entries()) {
    const difference = (right[index] ?? 0) - rank;
    if (difference !== 0) return difference;
  }
  return 0;
}

const PATHS = { exact: 3, segments: 2, prefix: 2, pattern: 1 } as const;

function ranksOf({ path, method, headers = [], queryParams = [] }: HttpMatch): readonly number[] {
  const text = path === undefined ? "" : path.kind === "pattern" ? path.pattern : path.path;
  return [
    path === undefined ? 0 : PATHS[path.kind],
    text.length,
    method === undefined ? 0 : 1,
    headers.length,
    queryParams.length,
  ];
}
