/**
 * Finds the first rule that matches without trying them all: each candidate stands under the text that tells it apart
 * best (a path, a header's value, a host), and a place where many stand is divided again by their other conditions.
 */
import { type TextPattern, textsOf } from "../text-lookup.ts";
import type { TrafficAttribute } from "../traffic-attribute.ts";
import { AffixTable } from "./affix-table.ts";
import { Candidate, type Seeking } from "./candidate.ts";
import { EVERY_PEER, hasBit } from "./peer-bits.ts";
import { type Placement, placeCandidates } from "./place-candidates.ts";

/** No rule: later than any. A small integer, as orders are, so that V8 keeps it so. */
export const NO_RULE: number = 0x3fff_ffff;

/** So few are tried faster than found; more where a look at a bit tells that most are for other peers. */
const MAX_TRIED = 6;
const MAX_TRIED_BEHIND_BITS = 32;
const MAX_DEPTH = 5;

/** Many of very many: the shape keeps small what is touched to find one rule. */
export type RuleIndex = Candidate | Branch;

interface Branch {
  /** Of all candidates. */
  readonly lowest: number;
  readonly tables: readonly Table[];
  /** Those that can only be tried, in order. */
  readonly tried: readonly Candidate[];
  /** The bits of `tried`, so that those for other peers need not be touched. */
  readonly bits: readonly number[];
}

interface Table {
  readonly read: NonNullable<TrafficAttribute["lookup"]>["read"];
  readonly exact: ReadonlyMap<string, RuleIndex>;
  readonly prefixes: AffixTable<RuleIndex> | undefined;
  readonly suffixes: AffixTable<RuleIndex> | undefined;
}

const NO_TABLES: readonly Table[] = [];

export function buildRuleIndex(candidates: readonly Candidate[], depth: number = 0): RuleIndex {
  const [first] = candidates;
  if (first !== undefined && candidates.length === 1) return first;
  const lowest = candidates.reduce((low, { order }) => Math.min(low, order), NO_RULE);
  if (areTried(candidates) || depth >= MAX_DEPTH) {
    return { lowest, tables: NO_TABLES, ...inOrder(candidates) };
  }
  const { placed, unplaced } = placeCandidates(candidates, { depth });
  const tables = placed.map((placement) => buildTable(placement, depth + 1));
  return { lowest, tables, ...inOrder(unplaced) };
}

/**
 * @param before only what is earlier is looked for
 * @returns the order of the first candidate that holds, or `before`
 */
export function firstMatch(index: RuleIndex, seeking: Seeking, before: number): number {
  if (index instanceof Candidate) {
    return index.order < before && index.holds(seeking) ? index.order : before;
  }
  let first = before;
  if (index.lowest >= first) return first;
  for (let place = 0; place < index.bits.length; place++) {
    if (!hasBit(seeking.bits, index.bits[place] ?? EVERY_PEER)) continue;
    const candidate = index.tried[place];
    if (candidate === undefined || candidate.order >= first) break;
    if (candidate.holds(seeking)) {
      first = candidate.order;
      break;
    }
  }
  for (const table of index.tables) first = firstInTable(table, seeking, first);
  return first;
}

/** Adds candidates that hold, in no order, until there are `limit` in `found`. */
export function collectMatches(
  index: RuleIndex,
  seeking: Seeking,
  { found, limit }: { readonly found: Set<number>; readonly limit: number },
): void {
  if (index instanceof Candidate) {
    if (found.size < limit && index.holds(seeking)) found.add(index.order);
    return;
  }
  for (const candidate of index.tried) {
    if (found.size >= limit) return;
    if (candidate.holds(seeking)) found.add(candidate.order);
  }
  for (const { read, exact, prefixes, suffixes } of index.tables) {
    for (const text of textsOf(read(seeking.traffic))) {
      const below = [exact.get(text), ...affixes(prefixes, text), ...affixes(suffixes, text)];
      for (const one of below) if (one) collectMatches(one, seeking, { found, limit });
    }
  }
}

function* affixes(
  table: AffixTable<RuleIndex> | undefined,
  text: string,
): Generator<RuleIndex | undefined> {
  if (table === undefined) return;
  for (let at = table.first(text); at >= 0; at = table.next(at)) yield table.at(at);
}

function firstInTable(table: Table, seeking: Seeking, before: number): number {
  const read = table.read(seeking.traffic);
  if (read === undefined) return before;
  if (typeof read === "string") return firstUnder(table, { text: read, seeking }, before);
  let first = before;
  for (const text of read) {
    if (typeof text === "string") first = firstUnder(table, { text, seeking }, first);
  }
  return first;
}

function firstUnder(
  { exact, prefixes, suffixes }: Table,
  { text, seeking }: { readonly text: string; readonly seeking: Seeking },
  before: number,
): number {
  let first = before;
  const index = exact.get(text);
  if (index !== undefined) first = firstMatch(index, seeking, first);
  if (prefixes !== undefined) first = firstAffix(prefixes, { text, seeking }, first);
  if (suffixes !== undefined) first = firstAffix(suffixes, { text, seeking }, first);
  return first;
}

function firstAffix(
  table: AffixTable<RuleIndex>,
  { text, seeking }: { readonly text: string; readonly seeking: Seeking },
  before: number,
): number {
  let first = before;
  let position = table.first(text);
  while (position >= 0) {
    const index = table.at(position);
    if (index !== undefined) first = firstMatch(index, seeking, first);
    position = table.next(position);
  }
  return first;
}

function buildTable({ read, places }: Placement, depth: number): Table {
  const of = (kind: TextPattern["kind"]): (readonly [string, RuleIndex])[] =>
    [...places[kind]].map(([text, candidates]) => [text, buildRuleIndex(candidates, depth)]);
  return {
    read,
    exact: new Map(of("exact")),
    prefixes: affixTable("prefix", of("prefix")),
    suffixes: affixTable("suffix", of("suffix")),
  };
}

function affixTable(
  kind: "prefix" | "suffix",
  entries: readonly (readonly [string, RuleIndex])[],
): AffixTable<RuleIndex> | undefined {
  if (entries.length === 0) return undefined;
  const affixes = entries.map(([text, value]) => ({ text, value }));
  return new AffixTable(kind, affixes);
}

function areTried(candidates: readonly Candidate[]): boolean {
  if (candidates.length <= MAX_TRIED) return true;
  return (
    candidates.length <= MAX_TRIED_BEHIND_BITS && candidates.every(({ bit }) => bit !== EVERY_PEER)
  );
}

function inOrder(candidates: readonly Candidate[]): Pick<Branch, "tried" | "bits"> {
  const tried = [...candidates].sort((a, b) => a.order - b.order);
  return { tried, bits: tried.map(({ bit }) => bit) };
}
