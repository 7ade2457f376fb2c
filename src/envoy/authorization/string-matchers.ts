/**
 * Texts of policies as Envoy's string matchers (envoy.type.matcher.v3.StringMatcher, xds.type.matcher.v3.StringMatcher,
 * whose JSON is the same).
 */
import { parseStringMatch } from "../../api/string-match.ts";
import type { Demand } from "./rule-demands.ts";

/** Exactly one of the texts. */
export interface StringMatcher {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  /** Anchored at both ends (RE2). */
  readonly safeRegex?: { readonly regex: string };
  readonly ignoreCase?: true;
}

const SCHEME = "spiffe://";

/** As Istio writes it: a text with a line break is none. */
export const ANY_TEXT: StringMatcher = regex(".+");
/** Every text that is not empty. */
export const EVERY_TEXT: StringMatcher = regex("(?s).+");

/** A lone `*` demands a text that is not empty (AP-40, AP-41). */
export function stringMatcher(value: string, anyText: StringMatcher = ANY_TEXT): StringMatcher {
  const match = parseStringMatch(value);
  return match.kind === "present" ? anyText : { [match.kind]: match.text };
}

export function regex(expression: string): StringMatcher {
  return { safeRegex: { regex: expression } };
}

/** As Go's `regexp.QuoteMeta`, which RE2 reads alike. */
export function quoteRegex(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/** What the URI of a peer's certificate must be, one of them, for a demand about its identity; undefined: it is about something else. */
export function identityMatchers({
  subject: { about },
  values,
}: Pick<Demand, "subject" | "values">): readonly StringMatcher[] | undefined {
  const matcher = IDENTITY_MATCHERS[about];
  return matcher && values.map(matcher);
}

const IDENTITY_MATCHERS: Readonly<
  Partial<Record<Demand["subject"]["about"], (value: string) => StringMatcher>>
> = {
  principal: principalMatcher,
  namespace: namespaceMatcher,
  "service account": accountMatcher,
  "trust domain": trustDomainMatcher,
};

/** AP-45 */
function principalMatcher(value: string): StringMatcher {
  return stringMatcherBehind(SCHEME, value);
}

/** A text that begins with one that policies leave out; a lone `*` demands neither. */
export function stringMatcherBehind(beginning: string, value: string): StringMatcher {
  const match = parseStringMatch(value);
  switch (match.kind) {
    case "present":
      return ANY_TEXT;
    case "suffix":
      return beginning === ""
        ? { suffix: match.text }
        : regex(`${beginning}.*${quoteRegex(match.text)}`);
    default:
      return { [match.kind]: beginning + match.text };
  }
}

/** AP-46; a `*` stays within its segment (AP-90). */
function namespaceMatcher(value: string): StringMatcher {
  const name = value.split("*").map(quoteRegex).join("[^/]*");
  return regex(`.*/ns/${name}/.*`);
}

/** AP-47 @param value `NS/SA` */
function accountMatcher(value: string): StringMatcher {
  const [namespace = "", account = ""] = value.split("/").map(quoteRegex);
  return regex(`${SCHEME}.+/ns/${namespace}/(.+/|)sa/${account}(/.+)?`);
}

/** AP-48 */
function trustDomainMatcher(value: string): StringMatcher {
  if (value === "*") return { prefix: SCHEME };
  if (!value.includes("*")) return { prefix: `${SCHEME}${value}/` };
  const [before = "", ...after] = value.split("*");
  return regex(`${SCHEME}${quoteRegex(before)}[^/]*${quoteRegex(after.join("*"))}/.*`);
}
