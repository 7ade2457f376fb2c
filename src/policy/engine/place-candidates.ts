/** Decides under which texts candidates stand: for each, those of its condition that the fewest others share. */
import type { TextPattern } from "../text-lookup.ts";
import type { TrafficAttribute } from "../traffic-attribute.ts";
import { type Asked, type Candidate, placedBy } from "./candidate.ts";

type Lookup = NonNullable<TrafficAttribute["lookup"]>;
type Kind = TextPattern["kind"];

/** All that stand under texts of one attribute. */
export interface Placement {
  readonly read: Lookup["read"];
  readonly places: Readonly<Record<Kind, Map<string, Candidate[]>>>;
}

/** A crowd of so many is small enough: then the attribute counts that most candidates have, so that few are read. */
const SMALL_CROWD = 6;
const SMALL_CROWD_BEHIND_BITS = 64;

/** Deeper down, a candidate is put in so many places only, all levels together: otherwise each would multiply it. */
const MAX_COPIES = 16;

export function placeCandidates(
  candidates: readonly Candidate[],
  { depth }: { readonly depth: number },
): {
  readonly placed: readonly Placement[];
  readonly unplaced: readonly Candidate[];
} {
  const crowds = countCrowds(candidates);
  const placed = new Map<string, Placement>();
  const unplaced: Candidate[] = [];
  for (const candidate of candidates) {
    const chosen = choose(candidate, { crowds, depth, everybody: candidates.length });
    if (chosen === undefined) unplaced.push(candidate);
    else place(placed, candidate, { ...chosen, depth });
  }
  return { placed: [...placed.values()], unplaced };
}

/** How many candidates could stand under each text. */
class Crowds {
  readonly #counts = new Map<string, Record<Kind, Map<string, number>>>();
  readonly #attributes = new Map<string, number>();

  add(name: string, { kind, text }: TextPattern): void {
    const counts = entryOf(this.#counts, name, newPlaces<number>)[kind];
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }

  /** The largest of those under any of the patterns. */
  largest(name: string, patterns: readonly TextPattern[]): number {
    const counts = this.#counts.get(name);
    let largest = 0;
    for (const { kind, text } of patterns) {
      largest = Math.max(largest, counts?.[kind].get(text) ?? 0);
    }
    return largest;
  }

  /** Counts once for each condition on the attribute. */
  countAttribute(name: string): void {
    this.#attributes.set(name, this.popularity(name) + 1);
  }

  popularity(name: string): number {
    return this.#attributes.get(name) ?? 0;
  }
}

function countCrowds(candidates: readonly Candidate[]): Crowds {
  const crowds = new Crowds();
  for (const { conditions } of candidates) {
    for (const { attribute, patterns } of conditions) {
      const name = attribute?.lookup?.name;
      if (name === undefined || patterns === undefined) continue;
      crowds.countAttribute(name);
      for (const pattern of patterns) crowds.add(name, pattern);
    }
  }
  return crowds;
}

interface Chosen {
  readonly condition: Asked;
  readonly lookup: Lookup;
  readonly patterns: readonly TextPattern[];
}

interface Choosing {
  readonly crowds: Crowds;
  readonly depth: number;
  /** How many candidates there are. */
  readonly everybody: number;
}

function choose(candidate: Candidate, { crowds, depth, everybody }: Choosing): Chosen | undefined {
  let best: Chosen | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  const small = candidate.demand === undefined ? SMALL_CROWD : SMALL_CROWD_BEHIND_BITS;
  for (const condition of candidate.conditions) {
    const { attribute, patterns } = condition;
    const lookup = attribute?.lookup;
    if (lookup === undefined || patterns === undefined) continue;
    if (depth > 0 && !mayStandBelow(candidate, { lookup, patterns })) continue;
    const crowd = crowds.largest(lookup.name, patterns);
    const cost = crowd <= small ? -crowds.popularity(lookup.name) : crowd;
    if (crowd >= everybody || cost >= lowest) continue;
    lowest = cost;
    best = { condition, lookup, patterns };
  }
  return best;
}

/** What traffic carries any number of is looked up on one level alone: on several, a stranger would choose the work. */
function mayStandBelow(
  { copies, placedBySeveral }: Candidate,
  { lookup, patterns }: Pick<Chosen, "lookup" | "patterns">,
): boolean {
  if (lookup.several && placedBySeveral) return false;
  return copies * patterns.length <= MAX_COPIES;
}

function place(
  placed: Map<string, Placement>,
  candidate: Candidate,
  { condition, lookup, patterns, depth }: Chosen & { readonly depth: number },
): void {
  const { places } = entryOf(placed, lookup.name, () => ({
    read: lookup.read,
    places: newPlaces<Candidate[]>(),
  }));
  const left = placedBy(candidate, { condition, depth });
  for (const { kind, text, proof } of patterns) {
    const standing = entryOf(places[kind], text, () => []);
    if (standing.at(-1) !== left[proof]) standing.push(left[proof]);
  }
}

function newPlaces<T>(): Record<Kind, Map<string, T>> {
  return { exact: new Map(), prefix: new Map(), suffix: new Map() };
}

function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
