/**
 * Finds all keys that a text begins with (or ends with). The keys stand in one hash table: a single pass over the text
 * asks for each length that some key has, so that nothing is searched and few cache lines are touched.
 */

export interface Affix<T> {
  readonly text: string;
  readonly value: T;
}

/** Which end of a text is meant. */
export type AffixKind = "prefix" | "suffix";

export interface AffixVisitor<T> {
  visit(value: T): void;
}

const HASH_SEED = 0x811c9dc5 | 0;
const HASH_FACTOR = 16_777_619;
/** A slot is the hash of a key, and one more than its index; 0 where it is free. */
const SLOT_WORDS = 2;

export class AffixTable<T> {
  readonly #kind: AffixKind;
  readonly #texts: readonly string[];
  readonly #values: readonly T[];
  /** Of the keys; each once, ascending. */
  readonly #lengths: readonly number[];
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param affixes no text twice */
  constructor(kind: AffixKind, affixes: readonly Affix<T>[]) {
    this.#kind = kind;
    this.#texts = affixes.map(({ text }) => text);
    this.#values = affixes.map(({ value }) => value);
    this.#lengths = [...new Set(this.#texts.map(({ length }) => length))].sort((a, b) => a - b);
    const capacity = 2 ** Math.ceil(Math.log2(2 * affixes.length + 1));
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(SLOT_WORDS * capacity);
    for (const index of affixes.keys()) this.#enter(index);
  }

  /** Shows the visitor all values whose key is an affix of `text`, the shortest key first. */
  visitAll(text: string, visitor: AffixVisitor<T>): void {
    const backwards = this.#kind === "suffix";
    const end = text.length;
    let hash = HASH_SEED;
    let hashed = 0;
    for (const length of this.#lengths) {
      if (length > end) return;
      for (; hashed < length; hashed++) {
        hash = addTo(hash, text.charCodeAt(backwards ? end - 1 - hashed : hashed));
      }
      const index = this.#find(text, { hash, length });
      if (index < 0) continue;
      const value = this.#values[index];
      if (value !== undefined) visitor.visit(value);
    }
  }

  #enter(index: number): void {
    const text = this.#texts[index] ?? "";
    let hash = HASH_SEED;
    for (let at = 0; at < text.length; at++) {
      hash = addTo(hash, text.charCodeAt(this.#kind === "suffix" ? text.length - 1 - at : at));
    }
    let slot = slotOf(hash) & this.#mask;
    while (this.#slots[SLOT_WORDS * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[SLOT_WORDS * slot] = hash;
    this.#slots[SLOT_WORDS * slot + 1] = index + 1;
  }

  #find(
    text: string,
    { hash, length }: { readonly hash: number; readonly length: number },
  ): number {
    for (let slot = slotOf(hash) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const index = (this.#slots[SLOT_WORDS * slot + 1] ?? 0) - 1;
      if (index < 0) return -1;
      if (this.#slots[SLOT_WORDS * slot] === hash && this.#isAffix(index, text, length))
        return index;
    }
  }

  #isAffix(index: number, text: string, length: number): boolean {
    const key = this.#texts[index] ?? "";
    if (key.length !== length) return false;
    return this.#kind === "suffix" ? text.endsWith(key) : text.startsWith(key);
  }
}

function addTo(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, HASH_FACTOR);
}

/** The low bits of a product know little of the high ones. */
function slotOf(hash: number): number {
  return hash ^ (hash >>> 15);
}
