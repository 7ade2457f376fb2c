/** Matches of a path's prefix that a shorter prefix before them takes all traffic of. */
import type { Fields } from "../decoder.ts";
import { numberIn, textIn } from "./written-values.ts";

/** Told of every pair, as istiod does. Matches of one and the same prefix are not compared. */
export function warnOfCoveredPrefixes(matches: readonly Fields[]): void {
  const byPrefix = matches.map(prefixMatch).filter(({ prefix }) => prefix !== "");
  for (const later of byPrefix) {
    for (const before of byPrefix) {
      if (before === later) break;
      if (before.prefix === later.prefix || !covers(before, later)) continue;
      later.fields
        .section("uri")
        .notice(
          "prefix",
          `is never reached: ${before.fields.path} matches ${before.prefix} before`,
        );
    }
  }
}

/** What istiod compares; read once, for there may be many pairs. */
interface PrefixMatch {
  readonly fields: Fields;
  readonly prefix: string;
  readonly port: number;
  readonly method: string;
  readonly authority: string;
  /** Headers, query parameters and headers that must be absent: patterns by name. */
  readonly conditions: readonly ReadonlyMap<string, string>[];
}

function prefixMatch(fields: Fields): PrefixMatch {
  return {
    fields,
    prefix: textIn(fields.section("uri"), "prefix"),
    port: numberIn(fields, "port"),
    method: patternOf(fields, "method") || "exact:GET",
    authority: patternOf(fields, "authority"),
    conditions: ["headers", "queryParams", "withoutHeaders"].map((name) =>
      patternsOf(fields.section(name)),
    ),
  };
}

/** Istiod's own notion of it: a condition that the later match does not have is taken for covered. */
function covers(before: PrefixMatch, later: PrefixMatch): boolean {
  return (
    later.prefix.startsWith(before.prefix) &&
    before.port === later.port &&
    before.method.startsWith(later.method) &&
    before.authority.startsWith(later.authority) &&
    before.conditions.every((patterns, index) => coversAll(patterns, later.conditions[index]))
  );
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

function coversAll(
  before: ReadonlyMap<string, string>,
  later: ReadonlyMap<string, string> = new Map(),
): boolean {
  if (before.size !== later.size) return false;
  return [...before].every(([name, pattern]) => {
    const narrower = later.get(name);
    return narrower !== undefined && pattern.startsWith(narrower);
  });
}
