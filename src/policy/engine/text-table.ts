/** What stands under texts of one attribute: under whole texts, under their beginnings and under their ends. */
import { ANY_TEXT, textsOf } from "../text-lookup.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { type AffixKind, AffixTable, type AffixVisitor } from "./affix-table.ts";
import type { Candidate } from "./candidate.ts";
import type { Placement } from "./place-candidates.ts";

export class TextTable<T> {
  readonly #read: Placement["read"];
  readonly #exact: ReadonlyMap<string, T>;
  readonly #prefixes: AffixTable<T> | undefined;
  readonly #suffixes: AffixTable<T> | undefined;
  readonly #all: T[] = [];

  constructor({ read, places }: Placement, buildOne: (candidates: readonly Candidate[]) => T) {
    const build = (candidates: readonly Candidate[]): T => {
      const built = buildOne(candidates);
      this.#all.push(built);
      return built;
    };
    this.#read = read;
    this.#exact = new Map([...places.exact].map(([text, below]) => [text, build(below)]));
    this.#prefixes = affixTable("prefix", { places: places.prefix, build });
    this.#suffixes = affixTable("suffix", { places: places.suffix, build });
  }

  /** Shows the visitor each that stands under what the traffic carries, once. */
  visitAll(traffic: Traffic, visitor: AffixVisitor<T>): void {
    const read = this.#read(traffic);
    if (typeof read === "string") {
      this.#visitUnder(read, visitor);
      return;
    }
    if (read === undefined) return;
    if (read === ANY_TEXT) {
      for (const value of this.#all) visitor.visit(value);
      return;
    }
    const found = new Set<T>();
    const collector = { visit: (value: T) => found.add(value) };
    for (const text of textsOf(read)) this.#visitUnder(text, collector);
    for (const value of found) visitor.visit(value);
  }

  #visitUnder(text: string, visitor: AffixVisitor<T>): void {
    const exact = this.#exact.get(text);
    if (exact !== undefined) visitor.visit(exact);
    this.#prefixes?.visitAll(text, visitor);
    this.#suffixes?.visitAll(text, visitor);
  }
}

function affixTable<T>(
  kind: AffixKind,
  {
    places,
    build,
  }: {
    readonly places: ReadonlyMap<string, readonly Candidate[]>;
    readonly build: (candidates: readonly Candidate[]) => T;
  },
): AffixTable<T> | undefined {
  if (places.size === 0) return undefined;
  return new AffixTable(
    kind,
    [...places].map(([text, below]) => ({ text, value: build(below) })),
  );
}
