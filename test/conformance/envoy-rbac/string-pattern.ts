/** Envoy's matcher of strings as the pattern of AuthorizationPolicy that means it (AP-40..AP-44). */
import type { ExclusionRule } from "../suite-runner.ts";

export interface EnvoyStringMatcher {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly safeRegex?: { readonly regex: string };
  readonly ignoreCase?: boolean;
}

/** Of a matcher to which no exclusion applies. */
export function patternOf({ exact, prefix, suffix, safeRegex }: EnvoyStringMatcher): string {
  if (safeRegex !== undefined) return patternOfRegex(safeRegex.regex) ?? "";
  if (prefix !== undefined) return `${prefix}*`;
  if (suffix !== undefined) return `*${suffix}`;
  if (exact !== undefined) return exact;
  throw new Error("a matcher of strings that is not known");
}

const EXPRESSION = /^\^?(\.\*)?((?:[\w/%@:, -]|\\.)*)(\.\*)?\$?$/;

/**
 * A whole text must match an expression, so that one with `.*` at an end alone is a prefix or suffix. Any text at all
 * is `*`, which is not the same of an empty one (AP-41): where that can be, a case must not ask for it.
 */
function patternOfRegex(expression: string): string | undefined {
  const [whole, before, literal = "", after] = EXPRESSION.exec(expression) ?? [];
  if (whole === undefined) return undefined;
  const text = literal.replace(/\\(.)/g, "$1");
  if (text === "") return (before ?? after) === undefined ? undefined : "*";
  if (before !== undefined && after !== undefined) return undefined;
  return `${before === undefined ? "" : "*"}${text}${after === undefined ? "" : "*"}`;
}

/** Which matchers no value can mean, wherever they stand in a case. */
export const UNSAYABLE_PATTERNS: readonly ExclusionRule<unknown>[] = [
  {
    reason:
      "a regular expression that is more than exact, a prefix, a suffix or any text has no value that means it (AP-40)",
    applies: (test) => has(test, "regex", { test: (text) => patternOfRegex(text) === undefined }),
  },
  {
    reason:
      "an expression with ignoreCase is a mistake in Envoy's configuration, which no policy makes (AP-43)",
    applies: (test) => has(test, "safeRegex") && has(test, "ignoreCase", true),
  },
  {
    reason: "no value of AuthorizationPolicy means 'contains' (AP-40, AP-42)",
    applies: (test) => has(test, "contains"),
  },
  {
    reason: "an empty value is refused (VAL-25)",
    applies: (test) => ["exact", "prefix", "suffix"].some((kind) => has(test, kind, "")),
  },
  {
    reason: "a * at the edge of a value is always a wildcard (AP-40, AP-42)",
    applies: (test) =>
      has(test, "exact", /^\*|\*$/) || has(test, "prefix", /^\*/) || has(test, "suffix", /\*$/),
  },
];

/** Whether a field of this name, and of this value if one is asked for, is anywhere inside. */
export function has(inside: unknown, field: string, value?: string | boolean | TextTest): boolean {
  if (Array.isArray(inside)) return inside.some((each) => has(each, field, value));
  if (typeof inside !== "object" || inside === null) return false;
  return Object.entries(inside).some(
    ([name, found]) => (name === field && isWanted(found, value)) || has(found, field, value),
  );
}

/** A regular expression is one. */
export interface TextTest {
  test(text: string): boolean;
}

function isWanted(found: unknown, value: string | boolean | TextTest | undefined): boolean {
  if (typeof value === "object") return typeof found === "string" && value.test(found);
  return value === undefined || found === value;
}
