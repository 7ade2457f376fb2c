/** Parameters of a request's query, found without making anything of the others. */
import { unescape as unescapeText } from "node:querystring";

/** The first of that name, decoded; undefined when there is none. @param path with its query, if any */
export function firstParam(path: string, name: string): string | undefined {
  for (const pair of pairsOf(path)) {
    if (isNamed(pair, name)) return decoded(pair.slice(endOfName(pair) + 1));
  }
  return undefined;
}

/** The path without any parameter of that name; the others stay as they were written. */
export function withoutParam(path: string, name: string): string {
  const pairs = pairsOf(path);
  const kept = pairs.filter((pair) => !isNamed(pair, name));
  if (kept.length === pairs.length) return path;
  const target = path.slice(0, path.indexOf("?"));
  return kept.length === 0 ? target : `${target}?${kept.join("&")}`;
}

function pairsOf(path: string): readonly string[] {
  const query = path.indexOf("?");
  return query === -1 ? [] : path.slice(query + 1).split("&");
}

function isNamed(pair: string, name: string): boolean {
  const written = pair.slice(0, endOfName(pair));
  return written === name || (/[%+]/.test(written) && decoded(written) === name);
}

function endOfName(pair: string): number {
  const end = pair.indexOf("=");
  return end === -1 ? pair.length : end;
}

/** What is no escape stays as it is. */
function decoded(text: string): string {
  return unescapeText(text.replaceAll("+", " "));
}
