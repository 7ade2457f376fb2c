/** Things that stand under texts of a peer's identity: a peer finds all groups that it belongs to. */
import { type TextPattern, textsOf } from "../text-lookup.ts";
import type { Traffic, TrafficAttribute } from "../traffic-attribute.ts";
import { AffixTable } from "./affix-table.ts";

/** A pattern, and what is looked up under it. */
export interface PeerPlace extends TextPattern {
  readonly lookup: NonNullable<TrafficAttribute["lookup"]>;
}

/** An item, and where it stands; undefined where every peer must find it. */
export interface Standing<T> {
  readonly item: T;
  readonly places: readonly PeerPlace[] | undefined;
}

interface Groups<T> {
  readonly read: PeerPlace["lookup"]["read"];
  readonly exact: ReadonlyMap<string, readonly T[]>;
  readonly affixes: readonly AffixTable<readonly T[]>[];
}

export class PeerGroups<T> {
  readonly #groups: readonly Groups<T>[];
  readonly #everywhere: readonly T[];

  constructor(items: readonly Standing<T>[]) {
    this.#everywhere = items.filter(({ places }) => places === undefined).map(({ item }) => item);
    this.#groups = groupItems(items);
  }

  /** All that the peer finds, each once. */
  of(peer: Traffic): ReadonlySet<T> {
    const found = new Set(this.#everywhere);
    const collector = {
      visit(group: readonly T[]) {
        for (const item of group) found.add(item);
      },
    };
    for (const { read, exact, affixes } of this.#groups) {
      for (const text of textsOf(read(peer))) {
        collector.visit(exact.get(text) ?? []);
        for (const table of affixes) table.visitAll(text, collector);
      }
    }
    return found;
  }
}

type Kind = TextPattern["kind"];

function groupItems<T>(items: readonly Standing<T>[]): readonly Groups<T>[] {
  const byName = new Map<string, [PeerPlace["lookup"]["read"], Record<Kind, Map<string, T[]>>]>();
  for (const { item, places = [] } of items) {
    for (const { lookup, kind, text } of places) {
      const [, groups] = byName.get(lookup.name) ?? [];
      const created = groups ?? { exact: new Map(), prefix: new Map(), suffix: new Map() };
      if (groups === undefined) byName.set(lookup.name, [lookup.read, created]);
      const group = created[kind].get(text);
      if (group === undefined) created[kind].set(text, [item]);
      else group.push(item);
    }
  }
  return [...byName.values()].map(([read, { exact, prefix, suffix }]) => ({
    read,
    exact,
    affixes: [...tableOf("prefix", prefix), ...tableOf("suffix", suffix)],
  }));
}

function tableOf<T>(
  kind: "prefix" | "suffix",
  groups: ReadonlyMap<string, readonly T[]>,
): readonly AffixTable<readonly T[]>[] {
  if (groups.size === 0) return [];
  return [
    new AffixTable(
      kind,
      [...groups].map(([text, value]) => ({ text, value })),
    ),
  ];
}
