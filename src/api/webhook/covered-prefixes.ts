/** Matches of a path's prefix that a shorter prefix before them takes all traffic of. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { type PrefixMatch, prefixMatch } from "./prefix-match.ts";

/** What this may cost: where so many matches of one prefix differ, not all of them are compared. */
const MOST_COMPARISONS = 200_000;

/** Told of every pair, as istiod does. Matches of one and the same prefix are not compared. */
export function warnOfCoveredPrefixes(matches: readonly Fields[]): void {
  const before = new PrefixIndex();
  let comparisons = 0;
  for (const later of matches.map(prefixMatch).filter(({ prefix }) => prefix !== "")) {
    const shorter = before.shorterPrefixes(later);
    comparisons += shorter.length;
    if (comparisons > MOST_COMPARISONS) {
      later.fields.noticeHere("and what follows is not compared with all prefixes before it");
      return;
    }
    for (const { fields, prefix } of shorter.filter((one) => covers(one, later))) {
      const message = `is never reached: ${fields.path} matches ${quoted(prefix)} before`;
      later.fields.section("uri").notice("prefix", message);
    }
    before.add(later);
  }
}

/** Istiod's own notion of it: a condition that the later match does not have is taken for covered. */
function covers(before: PrefixMatch, later: PrefixMatch): boolean {
  return (
    before.method.startsWith(later.method) &&
    before.authority.startsWith(later.authority) &&
    before.conditions.every((patterns, index) => coversAll(patterns, later.conditions[index]))
  );
}

function coversAll(
  before: ReadonlyMap<string, string>,
  later: ReadonlyMap<string, string> = new Map(),
): boolean {
  return [...before].every(([name, pattern]) => pattern.startsWith(later.get(name) ?? ""));
}

/** Of those that ask for the same port and for conditions of the same names: no other covers another. */
class PrefixIndex {
  readonly #groups = new Map<string, Map<string, PrefixMatch[]>>();
  /** Of each group: in a text of 1 MB no more than 1,400 prefixes differ in length. */
  readonly #lengths = new Map<string, Set<number>>();

  add(match: PrefixMatch): void {
    const { group, prefix } = match;
    const prefixes = this.#groups.get(group) ?? new Map<string, PrefixMatch[]>();
    this.#groups.set(group, prefixes);
    const same = prefixes.get(prefix);
    if (same === undefined) prefixes.set(prefix, [match]);
    else same.push(match);
    this.#lengths.set(group, (this.#lengths.get(group) ?? new Set()).add(prefix.length));
  }

  /** In the order of the document. */
  shorterPrefixes({ group, prefix }: PrefixMatch): readonly PrefixMatch[] {
    const lengths = [...(this.#lengths.get(group) ?? [])].filter(
      (length) => length < prefix.length,
    );
    const prefixes = this.#groups.get(group);
    return lengths
      .flatMap((length) => prefixes?.get(prefix.slice(0, length)) ?? [])
      .toSorted((one, other) => one.place - other.place);
  }
}
