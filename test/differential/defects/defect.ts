/** Faults that a translator to Envoy could have, each made in what ours has written; and what they are made with. */
import { isDeepStrictEqual } from "node:util";
import type { AskedOfEnvoy } from "../envoy-lane.ts";
import { type Json, objectAt, type Rewrite, rewritten } from "../json-rewrite.ts";
import type { Translated } from "../translate.ts";

export interface Defect {
  readonly name: string;
  /** Gives the same object back where there is nothing to spoil. */
  readonly spoil: (translated: Translated) => Translated;
  /** Shows only while a proxy has not been told its rules, and has to refuse all. */
  readonly shows?: "while rules are withheld";
  /** Where it changes nearly every set: those in which a call can show it. */
  readonly isAsked?: (asked: Pick<AskedOfEnvoy, "set" | "calls">) => boolean;
}

export function spoiled(rewrite: Rewrite): Defect["spoil"] {
  return (translated) => rewritten(translated, rewrite) as Translated; // of the same shape
}

/** What a predicate looks at. @param header of a request, where the input is one */
export function looksAt(predicate: Json, input: string, header?: string): boolean {
  const config = objectAt(predicate, "input", "typedConfig");
  if (!String(config?.["@type"]).endsWith(`.${input}`)) return false;
  return header === undefined || config?.["headerName"] === header;
}

export const HEADER = "HttpRequestHeaderMatchInput";
export const URI_SAN = "UriSanInput";

/** In matchers of texts. @param change gives back what is equal where it has no business */
export function texts(
  change: (match: Json) => Json,
  isMeant: (predicate: Json) => boolean = () => true,
): Defect["spoil"] {
  return spoiled((value) => {
    const match = objectAt(value, "valueMatch");
    if (match === undefined || !isMeant(value)) return value;
    const changed = change(match);
    return isDeepStrictEqual(changed, match) ? value : { ...value, valueMatch: changed };
  });
}

export function regexes(
  change: (regex: string) => string,
  isMeant?: (predicate: Json) => boolean,
): Defect["spoil"] {
  return texts((match) => {
    const regex = objectAt(match, "safeRegex")?.["regex"];
    if (typeof regex !== "string") return match;
    const changed = change(regex);
    return changed === regex ? match : regexMatch(changed);
  }, isMeant);
}

export function regexMatch(regex: string): Json {
  return { safeRegex: { googleRe2: {}, regex } };
}

/** In the settings of filters and transport sockets. @param type without its package */
export function settings(type: string, change: (config: Json) => Json): Defect["spoil"] {
  return spoiled((value) => (String(value["@type"]).endsWith(`.${type}`) ? change(value) : value));
}

/** The same object where it has none of them. */
export function without(value: Json, ...names: readonly string[]): Json {
  if (!names.some((name) => value[name] !== undefined)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
