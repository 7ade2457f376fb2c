/** What istiod compares of two matches of HTTP requests by the prefix of their paths; read once, for there may be many. */
import type { Fields } from "../decoder.ts";
import { numberIn, textIn } from "./written-values.ts";

export interface PrefixMatch {
  readonly fields: Fields;
  readonly place: number;
  /** "" where the match has none. */
  readonly prefix: string;
  /** The port, and the names of all conditions: matches that differ in it cover no traffic of each other. */
  readonly group: string;
  readonly method: string;
  readonly authority: string;
  /** Headers, query parameters and headers that must be absent: patterns by name. */
  readonly conditions: readonly ReadonlyMap<string, string>[];
}

export function prefixMatch(fields: Fields, place: number): PrefixMatch {
  const conditions = ["headers", "queryParams", "withoutHeaders"].map((name) =>
    patternsOf(fields.section(name)),
  );
  const names = conditions.map((patterns) => [...patterns.keys()].toSorted());
  return {
    fields,
    place,
    prefix: textIn(fields.section("uri"), "prefix"),
    group: JSON.stringify([numberIn(fields, "port"), ...names]),
    method: patternOf(fields, "method") || "exact:GET",
    authority: patternOf(fields, "authority"),
    conditions,
  };
}

function patternsOf(owner: Fields): ReadonlyMap<string, string> {
  return new Map(owner.names().map((name) => [name, patternOf(owner, name)]));
}

function patternOf(owner: Fields, name: string): string {
  const match = owner.section(name);
  const exact = textIn(match, "exact");
  if (exact !== "") return `exact:${exact}`;
  const prefix = textIn(match, "prefix");
  return prefix === "" ? "" : `prefix:${prefix}`;
}
