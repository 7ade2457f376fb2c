/** A field of a document as it is written. What is absent is empty, so that a check reads what is there and no more. */
import type { Labels } from "../api/resource.ts";
import type { YamlNode } from "../api/yaml-documents.ts";

const LABELS = new WeakMap<YamlNode, Labels>();

export class Field {
  readonly #node: YamlNode | undefined;
  /** Of its key, in the file; of an absent field, the line of what it would stand in. */
  readonly line: number;

  constructor(node: YamlNode | undefined, line: number) {
    this.#node = node;
    this.line = line;
  }

  /** Whether it is written, even where nothing follows. */
  get exists(): boolean {
    return this.#node !== undefined && !(this.#node.type === "scalar" && this.#node.value === null);
  }

  at(...names: readonly string[]): Field {
    return names.reduce((field: Field, name) => field.#below(name), this);
  }

  #below(name: string): Field {
    const entry = this.#node?.type === "map" ? this.#node.entries.get(name) : undefined;
    return new Field(entry?.node, entry?.line ?? this.line);
  }

  /** Numbers and booleans as they are written. */
  get text(): string {
    return this.#node?.type === "scalar" && this.#node.value !== null
      ? String(this.#node.value)
      : "";
  }

  /** undefined where none is written. */
  get number(): number | undefined {
    const value = this.text === "" ? Number.NaN : Number(this.text);
    return Number.isNaN(value) ? undefined : value;
  }

  get isTrue(): boolean {
    return this.text === "true";
  }

  get items(): readonly Field[] {
    if (this.#node?.type !== "list") return [];
    return this.#node.items.map((item) => new Field(item, item.line));
  }

  get entries(): ReadonlyMap<string, Field> {
    if (this.#node?.type !== "map") return new Map();
    return new Map(
      [...this.#node.entries].map(([name, { node, line }]) => [name, new Field(node, line)]),
    );
  }

  get texts(): readonly string[] {
    return this.items.map((item) => item.text);
  }

  /** Worked out once for each place: every pod is held against every selector. */
  get labels(): Labels {
    const known = this.#node && LABELS.get(this.#node);
    if (known !== undefined) return known;
    const labels = Object.fromEntries([...this.entries].map(([name, field]) => [name, field.text]));
    if (this.#node !== undefined) LABELS.set(this.#node, labels);
    return labels;
  }

  /** How many things stand in it. */
  get size(): number {
    return this.#node?.type === "list" ? this.#node.items.length : this.entries.size;
  }
}

export const NO_FIELD: Field = new Field(undefined, 1);
