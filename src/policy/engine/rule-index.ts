/**
 * Finds the first rule that matches without trying them all: each candidate stands under the text that tells it apart
 * best (a path, a header's value, a host), and a place where many stand is divided again by their other conditions.
 * One index serves all peers; a peer keeps one bit for each place, and places under one text are neighbours.
 */
import type { Traffic } from "../traffic-attribute.ts";
import type { Asked, Candidate } from "./candidate.ts";
import { nextBit, type PeerBits } from "./peer-bits.ts";
import { placeCandidates } from "./place-candidates.ts";
import { TextTable } from "./text-table.ts";

/** No rule: later than any. A small integer, as orders are, so that V8 keeps it so. */
export const NO_RULE: number = 0x3fff_ffff;

/** So few are tried faster than found; more where a look at a bit tells that most are for other peers. */
const MAX_TRIED = 6;
const MAX_TRIED_BEHIND_BITS = 64;
const MAX_DEPTH = 5;

export interface RuleIndex {
  readonly root: Branch;
  /** By place: of the rule that stands there. */
  readonly orders: Int32Array;
  /** By place: what is left to be asked there. */
  readonly conditions: readonly (readonly Asked[])[];
  /** By place: whom it means. */
  readonly demands: readonly Candidate["demand"][];
}

interface Branch {
  /** Of all candidates. */
  readonly lowest: number;
  /** Places of those that can only be tried, in order, up to before `end`. */
  readonly start: number;
  readonly end: number;
  readonly tables: readonly TextTable<Branch>[];
}

export function buildRuleIndex(candidates: readonly Candidate[]): RuleIndex {
  const places: Candidate[] = [];
  const root = buildBranch(candidates, { depth: 0, places });
  const known = new KnownConditions();
  return {
    root,
    orders: Int32Array.from(places, ({ order }) => order),
    conditions: places.map(({ conditions }) => known.sameAs(conditions)),
    demands: places.map(({ demand }) => demand),
  };
}

/** @returns the order of the first rule that matches; NO_RULE when none does */
export function firstMatch(
  index: RuleIndex,
  { traffic, bits }: { readonly traffic: Traffic; readonly bits: PeerBits },
): number {
  const search = new FirstMatch(index, traffic, bits);
  search.visit(index.root);
  return search.first;
}

/** @returns orders of rules that match, in no order; at most about `limit` of them */
export function someMatches(
  index: RuleIndex,
  { traffic, bits, limit }: { readonly traffic: Traffic; readonly bits: PeerBits; limit: number },
): ReadonlySet<number> {
  const search = new SomeMatches(index, { traffic, bits, limit });
  search.visit(index.root);
  return search.found;
}

class FirstMatch {
  first = NO_RULE;
  readonly #index: RuleIndex;
  readonly #traffic: Traffic;
  readonly #bits: PeerBits;

  constructor(index: RuleIndex, traffic: Traffic, bits: PeerBits) {
    this.#index = index;
    this.#traffic = traffic;
    this.#bits = bits;
  }

  visit({ lowest, start, end, tables }: Branch): void {
    if (lowest >= this.first) return;
    this.#try(start, end);
    for (const table of tables) table.visitAll(this.#traffic, this);
  }

  #try(start: number, end: number): void {
    const { orders, conditions } = this.#index;
    let place = nextBit(this.#bits, start, end);
    while (place >= 0) {
      const order = orders[place] ?? NO_RULE;
      if (order >= this.first) return;
      if (allHold(conditions[place], this.#traffic)) {
        this.first = order;
        return;
      }
      place = nextBit(this.#bits, place + 1, end);
    }
  }
}

class SomeMatches {
  readonly found = new Set<number>();
  readonly #index: RuleIndex;
  readonly #traffic: Traffic;
  readonly #bits: PeerBits;
  readonly #limit: number;

  constructor(
    index: RuleIndex,
    { traffic, bits, limit }: { readonly traffic: Traffic; readonly bits: PeerBits; limit: number },
  ) {
    this.#index = index;
    this.#traffic = traffic;
    this.#bits = bits;
    this.#limit = limit;
  }

  visit({ start, end, tables }: Branch): void {
    const { orders, conditions } = this.#index;
    let place = nextBit(this.#bits, start, end);
    while (place >= 0 && this.found.size < this.#limit) {
      if (allHold(conditions[place], this.#traffic)) this.found.add(orders[place] ?? NO_RULE);
      place = nextBit(this.#bits, place + 1, end);
    }
    for (const table of tables) {
      if (this.found.size < this.#limit) table.visitAll(this.#traffic, this);
    }
  }
}

function allHold(conditions: readonly Asked[] | undefined, traffic: Traffic): boolean {
  if (conditions === undefined) return false;
  for (const condition of conditions) if (!condition.matches(traffic)) return false;
  return true;
}

interface Building {
  readonly depth: number;
  /** All so far; candidates get their places by being added. */
  readonly places: Candidate[];
}

function buildBranch(candidates: readonly Candidate[], { depth, places }: Building): Branch {
  const lowest = candidates.reduce((low, { order }) => Math.min(low, order), NO_RULE);
  if (areTried(candidates) || depth >= MAX_DEPTH) {
    return { lowest, ...addInOrder(places, candidates), tables: NO_TABLES };
  }
  const { placed, unplaced } = placeCandidates(candidates, { depth });
  const run = addInOrder(places, unplaced);
  const tables = placed.map(
    (placement) =>
      new TextTable(placement, (below) => buildBranch(below, { depth: depth + 1, places })),
  );
  return { lowest, ...run, tables };
}

const NO_TABLES: readonly TextTable<Branch>[] = [];

function areTried(candidates: readonly Candidate[]): boolean {
  if (candidates.length <= MAX_TRIED) return true;
  if (candidates.length > MAX_TRIED_BEHIND_BITS) return false;
  return candidates.filter(({ demand }) => demand === undefined).length <= MAX_TRIED;
}

function addInOrder(
  places: Candidate[],
  candidates: readonly Candidate[],
): Pick<Branch, "start" | "end"> {
  const start = places.length;
  for (const one of [...candidates].sort((a, b) => a.order - b.order)) places.push(one);
  return { start, end: places.length };
}

/** Thousands of places leave the same to be asked: then it is one object, and stays in the CPU's cache. */
class KnownConditions {
  readonly #numbers = new Map<Asked["matches"], number>();
  readonly #known = new Map<string, readonly Asked[]>();

  sameAs(conditions: readonly Asked[]): readonly Asked[] {
    const key = conditions.map(({ matches }) => this.#numberOf(matches)).join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, conditions);
    return conditions;
  }

  #numberOf(matches: Asked["matches"]): number {
    const known = this.#numbers.get(matches);
    if (known !== undefined) return known;
    this.#numbers.set(matches, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
