/** What is said of a caller whose whole identity is known when the configuration is made. */
import type { Demand } from "../rule-demands.ts";
import { identityMatchers, type StringMatcher } from "../string-matchers.ts";

/** @returns undefined for what is said of something else than the caller's identity */
export function metByIdentity(demand: Demand, identity: string): boolean | undefined {
  const matchers = identityMatchers(demand);
  if (matchers === undefined) return undefined;
  const met = matchers.some((matcher) => matchesText(matcher, identity));
  return met === (demand.wants === "one");
}

function matchesText({ exact, prefix, safeRegex }: StringMatcher, text: string): boolean {
  if (exact !== undefined) return text === exact;
  if (prefix !== undefined) return text.startsWith(prefix);
  if (safeRegex !== undefined) return new RegExp(`^(?:${safeRegex.regex})$`).test(text);
  throw new RangeError("a matcher that is none of identities");
}
