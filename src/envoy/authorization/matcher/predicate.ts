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

/** What costs least is asked first: most rules are about something else, which is soon told. */
export function allOf(predicates: readonly Predicate[]): Predicate {
  if (predicates.includes(false)) return false;
  const open = predicates
    .filter((one) => one !== true)
    .flatMap(partsOfAll)
    .map((one) => ({ one, cost: costOf(one) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ one }) => one);
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

/** An expression that is asked only where a text is there that it cannot do without. */
export function expressionWith(
  found: Pick<StringMatcher, "contains" | "suffix">,
  { input, expression }: { readonly input: Input; readonly expression: StringMatcher },
): Predicate {
  return allOf([text(input, found), text(input, expression)]);
}

/** In comparisons of short texts, as they were seen to take; what is not found in the cache of a processor costs most. */
const EXPRESSION_COST = 8;

function costOf(predicate: Predicate): number {
  if (typeof predicate === "boolean") return 0;
  if ("not" in predicate) return costOf(predicate.not);
  if ("all" in predicate) return Math.min(...predicate.all.map(costOf));
  if ("any" in predicate) return predicate.any.reduce((sum, one) => sum + costOf(one), 0);
  return "custom" in predicate || predicate.text.safeRegex !== undefined ? EXPRESSION_COST : 1;
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
