/**
 * Finds all keys that a text begins with (or ends with): sorted keys, each linked to the longest other key that it
 * itself begins with. One binary search, then only keys that match are visited.
 */

export interface Affix<T> {
  readonly text: string;
  readonly value: T;
}

/** Which end of a text is meant. */
export type AffixKind = "prefix" | "suffix";

export class AffixTable<T> {
  readonly #kind: AffixKind;
  readonly #texts: readonly string[];
  readonly #values: readonly T[];
  /** Index of the longest other key that this one continues, -1 for none; undefined where no key continues another. */
  readonly #parents: readonly number[] | undefined;

  /** @param affixes no text twice */
  constructor(kind: AffixKind, affixes: readonly Affix<T>[]) {
    const compare = kind === "prefix" ? compareFromStart : compareFromEnd;
    const sorted = [...affixes].sort((a, b) => compare(a.text, b.text));
    this.#kind = kind;
    this.#texts = sorted.map(({ text }) => text);
    this.#values = sorted.map(({ value }) => value);
    this.#parents = this.#findParents();
  }

  /** Position of the longest key that could be an affix of `text`; go on with `next`. */
  first(text: string): number {
    const at = this.#kind === "prefix" ? this.#lastUpTo(text) : this.#lastUpToFromEnd(text);
    return at < 0 ? -1 : this.#within(at, this.#shared(this.#textAt(at), text));
  }

  /** Position of the next shorter affix, or -1. */
  next(position: number): number {
    return this.#parents?.[position] ?? -1;
  }

  at(position: number): T | undefined {
    return this.#values[position];
  }

  /** Keys between an affix of a text and the text itself all begin with that affix, so that it is an ancestor. */
  #within(start: number, length: number): number {
    let position = start;
    while (position >= 0 && this.#textAt(position).length > length) position = this.next(position);
    return position;
  }

  #lastUpTo(text: string): number {
    const texts = this.#texts;
    let low = 0;
    let high = texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((texts[middle] ?? "") <= text) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #lastUpToFromEnd(text: string): number {
    let low = 0;
    let high = this.#texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareFromEnd(this.#textAt(middle), text) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #findParents(): readonly number[] | undefined {
    const parents: number[] = [];
    const open: number[] = [];
    for (const [index, text] of this.#texts.entries()) {
      while (open.length > 0 && !this.#continues(text, open.at(-1) ?? -1)) open.pop();
      parents.push(open.at(-1) ?? -1);
      open.push(index);
    }
    return parents.every((parent) => parent < 0) ? undefined : parents;
  }

  #continues(text: string, position: number): boolean {
    const shorter = this.#textAt(position);
    return this.#shared(shorter, text) === shorter.length;
  }

  /** How many characters are the same, from the end that is meant. */
  #shared(left: string, right: string): number {
    return this.#kind === "prefix" ? sharedFromStart(left, right) : sharedFromEnd(left, right);
  }

  #textAt(position: number): string {
    return this.#texts[position] ?? "";
  }
}

function compareFromStart(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function compareFromEnd(left: string, right: string): number {
  const shared = sharedFromEnd(left, right);
  if (shared === left.length || shared === right.length) return left.length - right.length;
  return left.charCodeAt(left.length - 1 - shared) - right.charCodeAt(right.length - 1 - shared);
}

function sharedFromStart(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  let shared = 0;
  while (shared < length && left.charCodeAt(shared) === right.charCodeAt(shared)) shared++;
  return shared;
}

function sharedFromEnd(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  let shared = 0;
  while (
    shared < length &&
    left.charCodeAt(left.length - 1 - shared) === right.charCodeAt(right.length - 1 - shared)
  ) {
    shared++;
  }
  return shared;
}
