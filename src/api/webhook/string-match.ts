/** `exact`, `prefix` or `regex` of a route's match. */
import type { Fields } from "../decoder.ts";
import { regexpProblem } from "./go-regexp.ts";
import { textIn } from "./written-values.ts";

/** The string match at `name`: it may be absent, its prefix may not be empty. */
export function checkStringMatch(owner: Fields, name: string): void {
  const match = owner.section(name);
  if (match.has("prefix")) {
    if (textIn(match, "prefix") === "") match.report("prefix", "must not be empty");
  } else checkRegexp(match, "regex");
}

/** The regular expression at `name`, if it is given. */
export function checkRegexp(match: Fields, name: string): void {
  if (!match.has(name)) return;
  const problem = regexpProblem(textIn(match, name));
  if (problem !== undefined) match.report(name, problem);
}
