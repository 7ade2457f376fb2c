/** Headers and paths as envoy.config.route.v3.HeaderMatcher and envoy.type.matcher.v3.PathMatcher, as Istio writes them. */
import { parseStringMatch } from "../../../api/string-match.ts";
import { type StringMatcher, stringMatcher } from "../string-matchers.ts";

export interface HeaderMatcher {
  readonly name: string;
  readonly stringMatch?: StringMatcher;
  readonly presentMatch?: true;
}

/** `*` is met by an empty value too (AP-41). */
export function headerMatcher(name: string, value: string): HeaderMatcher {
  return value === "*" ? { name, presentMatch: true } : { name, stringMatch: stringMatcher(value) };
}

/** Without regard to letter case (AP-52). */
export function hostMatcher(value: string): HeaderMatcher {
  const name = ":authority";
  const match = parseStringMatch(value);
  if (match.kind === "present") return { name, presentMatch: true };
  return { name, stringMatch: { [match.kind]: match.text, ignoreCase: true } };
}

/** envoy.type.matcher.v3.PathMatcher: without the query (AP-54). */
export interface PathMatcher {
  readonly path: StringMatcher;
}
