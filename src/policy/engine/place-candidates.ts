/** Decides under which texts candidates stand: for each, those of its condition that the fewest others share. */
import type { TextPattern } from "../text-lookup.ts";
import type { TrafficAttribute } from "../traffic-attribute.ts";
import type { Asked, Candidate } from "./candidate.ts";

type Lookup = NonNullable<TrafficAttribute["lookup"]>;
type Kind = TextPattern["kind"];

/** All that stand under texts of one attribute. */
export interface Placement {
  readonly read: Lookup["read"];
  readonly places: Readonly<Record<Kind, Map<string, Candidate[]>>>;
}

/** A crowd of so many is small enough: then the attribute counts that most candidates have, so that few are read. */
const SMALL_CROWD = 6;

/** So few others may stand where a candidate stands that all peers share: each costs the look at a bit. */
const MAX_SHARED_CROWD = 48;

/** Deeper down, a candidate is put in few places only: otherwise it would be multiplied on every level. */
const MAX_PLACES_BELOW = 8;

/** Whether what traffic carries tells a candidate apart from all but a few. */
export function rareByTraffic(candidates: readonly Candidate[]): (candidate: Candidate) => boolean {
  const crowds = countCrowds(candidates);
  return ({ conditions }) =>
    conditions.some(({ attribute, patterns }) => {
      const name = attribute?.lookup?.name;
      if (name === undefined || patterns === undefined) return false;
      return crowds.largest(name, patterns) <= MAX_SHARED_CROWD;
    });
}

export function placeCandidates(
  candidates: readonly Candidate[],
  { depth }: { readonly depth: number },
): {
  readonly placed: readonly Placement[];
  readonly unplaced: readonly Candidate[];
} {
  const maxPlaces = depth === 0 ? Number.POSITIVE_INFINITY : MAX_PLACES_BELOW;
  const crowds = countCrowds(candidates);
  const placed = new Map<string, Placement>();
  const unplaced: Candidate[] = [];
  for (const candidate of candidates) {
    const chosen = choose(candidate, {
      crowds,
      maxPlaces,
      everybody: candidates.length,
    });
    if (chosen === undefined) unplaced.push(candidate);
    else place(placed, candidate, chosen);
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

function choose(
  { conditions }: Candidate,
  {
    crowds,
    maxPlaces,
    everybody,
  }: {
    readonly crowds: Crowds;
    readonly maxPlaces: number;
    readonly everybody: number;
  },
): Chosen | undefined {
  let best: Chosen | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const condition of conditions) {
    const { attribute, patterns } = condition;
    const lookup = attribute?.lookup;
    if (lookup === undefined || patterns === undefined || patterns.length > maxPlaces) continue;
    const crowd = crowds.largest(lookup.name, patterns);
    const cost = crowd <= SMALL_CROWD ? -crowds.popularity(lookup.name) : crowd;
    if (crowd >= everybody || cost >= lowest) continue;
    lowest = cost;
    best = { condition, lookup, patterns };
  }
  return best;
}

function place(
  placed: Map<string, Placement>,
  candidate: Candidate,
  { condition, lookup, patterns }: Chosen,
): void {
  const { places } = entryOf(placed, lookup.name, () => ({
    read: lookup.read,
    places: newPlaces<Candidate[]>(),
  }));
  for (const { kind, text, proof } of patterns) {
    entryOf(places[kind], text, () => []).push(candidate.placedBy(condition, proof));
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
