/**
 * Path templates of AuthorizationPolicy: `{*}` is one segment, `{**}` any rest (AP-70..AP-74).
 * Envoy's operators refuse some bytes (AP-72). Ours do so where a match lets traffic in, and accept any byte where a
 * match keeps it out: else a DENY could be passed by with an odd byte.
 */
import { quoted } from "./quoted.ts";

const ONE_SEGMENT = "{*}";
const ANY_REST = "{**}";
/** What an operator may stand for in Envoy, inside a character class: no `*`, no `=`, nothing beyond ASCII (AP-72). */
const ENVOY_BYTES = "a-zA-Z0-9\\-._~%!$&'()+,;:@";
const LITERAL_SEGMENT = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

/** Whether a value of `paths` is a template rather than a plain string pattern (AP-55). */
export function isPathTemplate(path: string): boolean {
  return path.includes(ONE_SEGMENT) || path.includes(ANY_REST);
}

/**
 * What is wrong with a value of `paths`, template or not (AP-71, VAL-29).
 *
 * @returns undefined when nothing is
 */
export function pathProblem(path: string): string | undefined {
  const template = isPathTemplate(path);
  let anyRestSeen = false;
  for (const segment of trimSlashes(path).split("/")) {
    if (segment === ONE_SEGMENT || segment === ANY_REST) {
      if (anyRestSeen) return "{**} must be the last operator";
      anyRestSeen = segment === ANY_REST;
    } else if (/[{}]/.test(segment)) {
      return `segment ${quoted(segment)} has a brace; an operator is {*} or {**} and stands alone in its segment`;
    } else if (template && !LITERAL_SEGMENT.test(segment)) {
      return segment === ""
        ? "a template must not have an empty segment"
        : `segment ${quoted(segment)} has a character that a template must not have`;
    }
  }
  return undefined;
}

/** Which bytes `{*}` and `{**}` stand for: all that can be in a path, or those alone that they stand for in Envoy. */
export type TemplateReach = "any-byte" | "envoy-bytes";

/**
 * The matcher of a template that has no `pathProblem`. Anchored at both ends, case-sensitive (AP-73).
 *
 * The returned function takes a path without its query.
 */
export function compilePathTemplate(
  template: string,
  { reach }: { readonly reach: TemplateReach },
): (path: string) => boolean {
  const operators = OPERATOR_PATTERNS[reach];
  const pattern = template
    .split("/")
    .map((segment) => operators.get(segment) ?? quotePattern(segment))
    .join("/");
  const expression = new RegExp(`^${pattern}$`, "s");
  return (path) => expression.test(path);
}

const OPERATOR_PATTERNS: Readonly<Record<TemplateReach, ReadonlyMap<string, string>>> = {
  "any-byte": new Map([
    [ONE_SEGMENT, "[^/]+"],
    [ANY_REST, ".*"],
  ]),
  "envoy-bytes": new Map([
    [ONE_SEGMENT, `[${ENVOY_BYTES}]+`],
    [ANY_REST, `[${ENVOY_BYTES}/]*`],
  ]),
};

function quotePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path[start] === "/") start++;
  while (end > start && path[end - 1] === "/") end--;
  return path.slice(start, end);
}
