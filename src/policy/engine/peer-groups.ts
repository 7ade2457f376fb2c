/** Things that stand under texts of a peer's identity: a peer finds all groups that it belongs to. */
import { type TextPattern, textsOf } from "../text-lookup.ts";
import type { Traffic, TrafficAttribute } from "../traffic-attribute.ts";
import { AffixTable } from "./affix-table.ts";

/** A pattern, and what is looked up under it. */
export interface PeerPlace extends TextPattern {
  readonly lookup: NonNullable<TrafficAttribute["lookup"]>;
}

interface Groups<T> {
  readonly read: PeerPlace["lookup"]["read"];
  readonly exact: Map<string, T[]>;
  readonly prefix: Map<string, T[]>;
  readonly suffix: Map<string, T[]>;
  tables?: readonly AffixTable<T[]>[];
}

export class PeerGroups<T> {
  readonly #byName = new Map<string, Groups<T>>();
  readonly #everywhere: T[] = [];

  /** @param places undefined for what every peer finds; nothing may be added once a peer has asked */
  add(places: readonly PeerPlace[] | undefined, item: T): void {
    if (places === undefined) this.#everywhere.push(item);
    for (const { lookup, kind, text } of places ?? []) {
      const groups = this.#byName.get(lookup.name) ?? newGroups<T>(lookup.read);
      this.#byName.set(lookup.name, groups);
      const group = groups[kind].get(text);
      if (group === undefined) groups[kind].set(text, [item]);
      else if (group.at(-1) !== item) group.push(item);
    }
  }

  /** Each group once, and in it each item once; an item that stands in several groups is in all of them. */
  of(peer: Traffic): readonly (readonly T[])[] {
    const found = [this.#everywhere];
    for (const groups of this.#byName.values()) {
      for (const text of new Set(textsOf(groups.read(peer)))) collect(groups, { text, found });
    }
    return found;
  }
}

function newGroups<T>(read: Groups<T>["read"]): Groups<T> {
  return { read, exact: new Map(), prefix: new Map(), suffix: new Map() };
}

function collect<T>(
  groups: Groups<T>,
  { text, found }: { readonly text: string; readonly found: T[][] },
): void {
  const exact = groups.exact.get(text);
  if (exact !== undefined) found.push(exact);
  groups.tables ??= [tableOf("prefix", groups.prefix), tableOf("suffix", groups.suffix)];
  for (const table of groups.tables) table.visitAll(text, { visit: (group) => found.push(group) });
}

function tableOf<T>(kind: "prefix" | "suffix", groups: Map<string, T[]>): AffixTable<T[]> {
  return new AffixTable(
    kind,
    [...groups].map(([text, value]) => ({ text, value })),
  );
}
