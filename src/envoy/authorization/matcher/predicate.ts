/**
 * Statements about a request or a connection in Envoy's generic matching (xds.type.matcher.v3.Matcher.MatcherList.Predicate).
 * What is already known is `true` or `false`, and never sent.
 */
import { typeUrl } from "../../envoy-json.ts";
import type { StringMatcher } from "../string-matchers.ts";

export type Predicate =
  | boolean
  | { readonly all: readonly Predicate[] }
  | { readonly any: readonly Predicate[] }
  | { readonly not: Predicate }
  | { readonly input: Input; readonly text: StringMatcher }
  | { readonly input: Input; readonly custom: Extension };

/** What is looked at: a value's place. What is absent is met by nothing. */
export type Input = Extension;

/** envoy.config.core.v3.TypedExtensionConfig; Envoy finds it by its type. */
export interface Extension {
  readonly name: string;
  readonly typedConfig: { readonly "@type": string; readonly [field: string]: unknown };
}

/** @param type as `envoy.type.matcher.v3.HttpRequestHeaderMatchInput` */
export function extension(type: string, fields: object = {}): Extension {
  return { name: "x", typedConfig: { "@type": typeUrl(type), ...fields } };
}

export function allOf(predicates: readonly Predicate[]): Predicate {
  if (predicates.includes(false)) return false;
  const open = predicates.filter((one) => one !== true).flatMap(partsOfAll);
  const [first, ...others] = open;
  if (first === undefined) return true;
  return others.length === 0 ? first : { all: open };
}

export function anyOf(predicates: readonly Predicate[]): Predicate {
  if (predicates.includes(true)) return true;
  const open = predicates.filter((one) => one !== false).flatMap(partsOfAny);
  const [first, ...others] = open;
  if (first === undefined) return false;
  return others.length === 0 ? first : { any: open };
}

function partsOfAll(predicate: Predicate): readonly Predicate[] {
  return typeof predicate === "object" && "all" in predicate ? predicate.all : [predicate];
}

function partsOfAny(predicate: Predicate): readonly Predicate[] {
  return typeof predicate === "object" && "any" in predicate ? predicate.any : [predicate];
}

export function not(predicate: Predicate): Predicate {
  return typeof predicate === "boolean" ? !predicate : { not: predicate };
}

export function text(input: Input, matcher: StringMatcher): Predicate {
  return { input, text: matcher };
}

/** @throws RangeError for what is already known: a matcher has no word for it */
export function predicateJson(predicate: Predicate): object {
  if (typeof predicate === "boolean") throw new RangeError(`a predicate that is ${predicate}`);
  if ("all" in predicate) return { andMatcher: { predicate: predicate.all.map(predicateJson) } };
  if ("any" in predicate) return { orMatcher: { predicate: predicate.any.map(predicateJson) } };
  if ("not" in predicate) return { notMatcher: predicateJson(predicate.not) };
  const { input } = predicate;
  return "text" in predicate
    ? { singlePredicate: { input, valueMatch: textJson(predicate.text) } }
    : { singlePredicate: { input, customMatch: predicate.custom } };
}

/** In xds.type.matcher.v3 an expression names its engine. */
function textJson({ safeRegex, ...matcher }: StringMatcher): object {
  return safeRegex === undefined
    ? matcher
    : { ...matcher, safeRegex: { googleRe2: {}, regex: safeRegex.regex } };
}
