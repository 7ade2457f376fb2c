/**
 * Hosts, headers and paths as predicates. A header's lines come joined by commas, and a path with its query: both would
 * open what is closed if a value were compared as it is written.
 */
import { isPathTemplate } from "../../../api/path-template.ts";
import { parseStringMatch } from "../../../api/string-match.ts";
import { templateRegex } from "../path-templates.ts";
import type { Demand } from "../rule-demands.ts";
import { quoteRegex, regex, stringMatcher } from "../string-matchers.ts";
import { cookieExpression } from "./cookie-expression.ts";
import { header } from "./inputs.ts";
import { anyOf, expressionWith, type Input, type Predicate, text } from "./predicate.ts";

type Meeting = Demand["meeting"];

const PATH: Input = header(":path");
const HOST: Input = header(":authority");

/** Any bytes, also those that are no UTF-8, which `.` of RE2 leaves out. */
const BYTES = "\\C*";
const PRESENT = regex(BYTES);

/** Headers that a request has once: their value is no list. */
const SINGLE: Readonly<Record<string, Input>> = {
  ":path": PATH,
  ":method": header(":method"),
  ":authority": HOST,
  host: HOST,
};

/** Without regard to letter case (AP-52). */
export function hostPredicate(value: string): Predicate {
  const match = parseStringMatch(value);
  return text(
    HOST,
    match.kind === "present" ? PRESENT : { [match.kind]: match.text, ignoreCase: true },
  );
}

/** @param name as written; other pseudo headers than those of AP-80 are never there */
export function headerPredicate(name: string, value: string, meeting: Meeting): Predicate {
  const lowerCase = name.toLowerCase();
  const single = Object.hasOwn(SINGLE, lowerCase) ? SINGLE[lowerCase] : undefined;
  if (single === undefined && lowerCase.startsWith(":")) return false;
  const input = single ?? header(lowerCase);
  if (value === "*") return text(input, PRESENT);
  // No element of a list has a comma.
  const isWhole = single !== undefined || meeting === "lets-in" || value.includes(",");
  if (isWhole) return text(input, stringMatcher(value));
  if (lowerCase === "cookie" && value.includes(";"))
    return text(input, regex(`(?:${elementRegex(value)}|${cookieExpression(value)})`));
  const match = parseStringMatch(value);
  const expression = regex(elementRegex(value));
  return match.kind === "present" || match.text === ""
    ? text(input, expression)
    : expressionWith({ contains: match.text }, { input, expression });
}

/** The whole, or an element between commas, as `headerAttribute` of the engine: a second line must not hide the first. */
function elementRegex(value: string): string {
  const match = parseStringMatch(value);
  const quoted = match.kind === "present" ? "" : quoteRegex(match.text);
  const before = `(?:${BYTES},)?[ \\t]*`;
  const after = `[ \\t]*(?:,${BYTES})?`;
  switch (match.kind) {
    case "present":
      return BYTES;
    case "prefix":
      return `${before}${quoted}${BYTES}`;
    case "suffix":
      return `${BYTES}${quoted}${after}`;
    case "exact":
      return `${before}${quoted}${after}`;
  }
}

const QUERY = `(?:\\?${BYTES})?`;

/** A path without its query, which Envoy's input has (AP-54, AP-73). */
export function pathPredicate(value: string, meeting: Meeting): Predicate {
  if (isPathTemplate(value)) {
    const reach = meeting === "lets-in" ? "envoy-bytes" : "any-byte";
    return text(PATH, regex(templateRegex(value, reach) + QUERY));
  }
  const match = parseStringMatch(value);
  if (match.kind === "present") return text(PATH, regex(`[^?]${BYTES}`));
  if (/[?#]/.test(match.text)) return false;
  switch (match.kind) {
    case "prefix":
      return text(PATH, { prefix: match.text });
    case "suffix":
      return expressionWith(
        { contains: match.text },
        { input: PATH, expression: regex(`[^?]*${quoteRegex(match.text)}${QUERY}`) },
      );
    case "exact":
      return anyOf([text(PATH, { exact: match.text }), text(PATH, { prefix: `${match.text}?` })]);
  }
}

/**
 * The longest text with which every path begins that a value means; undefined: there is none.
 *
 * @param value of `paths`
 */
export function pathPrefix(value: string): string | undefined {
  if (isPathTemplate(value)) return value.slice(0, value.indexOf("{")) || undefined;
  const match = parseStringMatch(value);
  return match.kind === "exact" || match.kind === "prefix" ? match.text || undefined : undefined;
}

/** Whether every path with the beginning that `pathPrefix` tells is meant. */
export function isWholePrefix(value: string): boolean {
  const isPlain = !isPathTemplate(value) && !/[?#]/.test(value);
  return isPlain && parseStringMatch(value).kind === "prefix";
}

/** The text that stands in every path that a value means because of its end; undefined: there is none. */
export function pathEnd(value: string): string | undefined {
  if (isPathTemplate(value)) return undefined;
  const match = parseStringMatch(value);
  return match.kind === "suffix" ? match.text || undefined : undefined;
}

export const PATH_INPUT: Input = PATH;
