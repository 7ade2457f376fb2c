/**
 * How rules are found by what traffic carries, instead of being tried one after the other: which text is looked up, and
 * under which patterns a list of a rule's values stands.
 */
import { foldAscii, parseStringMatch, type StringMatchOptions } from "../api/string-match.ts";

/** Where a rule stands: under a text, or under the beginning or the end of texts. */
export interface TextPattern {
  readonly kind: "exact" | "prefix" | "suffix";
  readonly text: string;
  /** Whether what is found there satisfies the condition; else the condition has still to be tried. */
  readonly proof: "sure" | "unsure";
}

/** Read where a stranger has sent more texts than are looked at: whatever stands under any text is found. */
export const ANY_TEXT: unique symbol = Symbol("any text");

/** What of the traffic is looked up. */
export interface TextLookup<Traffic, Context> {
  /** The same for all that read the same: `path`, `header x-tenant`. */
  readonly name: string;
  /** Where traffic may carry any number of texts; else it carries one, or as many as its form has. */
  readonly several?: true;
  /** In the form of the patterns; a list where one of several texts may be meant; undefined where nothing is carried. */
  read(traffic: Traffic): ReadTexts;
  /**
   * One pattern or more for every text that one of `values` could match.
   *
   * @returns undefined where that cannot be said: such a condition can only be tried
   */
  patterns(values: readonly string[], context: Context): readonly TextPattern[] | undefined;
}

export type ReadTexts = string | readonly unknown[] | typeof ANY_TEXT | undefined;

/** What was read, as a list. @throws RangeError for `ANY_TEXT` */
export function textsOf(read: ReadTexts): readonly string[] {
  if (read === undefined) return [];
  if (read === ANY_TEXT) throw new RangeError("any text is no list of texts");
  return typeof read === "string" ? [read] : read.filter((one) => typeof one === "string");
}

/** Of values that are string patterns; `*` alone is everywhere, and so nowhere (AP-40). */
export function stringPatterns(
  values: readonly string[],
  { letterCase = "sensitive" }: Pick<StringMatchOptions, "letterCase"> = {},
): readonly TextPattern[] | undefined {
  const patterns: TextPattern[] = [];
  for (const value of values) {
    const match = parseStringMatch(letterCase === "sensitive" ? value : foldAscii(value));
    if (match.kind === "present") return undefined;
    patterns.push({ kind: match.kind, text: contiguous(match.text), proof: "sure" });
  }
  return patterns;
}

/** A path template stands under the longer of its literal ends (AP-70). */
export function templatePattern(template: string): TextPattern {
  const head = template.slice(0, template.indexOf("{"));
  const tail = template.slice(template.lastIndexOf("}") + 1);
  return head.length >= tail.length
    ? { kind: "prefix", text: contiguous(head), proof: "unsure" }
    : { kind: "suffix", text: contiguous(tail), proof: "unsure" };
}

/** V8 keeps a slice as a reference into the whole text, and compares such slices several times slower. */
export function contiguous(text: string): string {
  const copy: unknown = JSON.parse(JSON.stringify(text));
  return typeof copy === "string" ? copy : text;
}
