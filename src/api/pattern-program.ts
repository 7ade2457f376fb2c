/**
 * A regular expression as a program of which all ways are followed at once: what matches is found in a time that grows with the text's
 * length alone, as in RE2.
 */
import { isWordCharacter } from "./pattern-sets.ts";
import {
  type PatternPlace,
  PatternProblem,
  type PatternTree,
  parsePattern,
} from "./pattern-tree.ts";

export type Instruction =
  | { readonly is: "character"; readonly matches: (code: number) => boolean }
  | { readonly is: "place"; readonly place: PatternPlace }
  /** Where to go on: all of them at once, the first is preferred. */
  | { readonly is: "split"; readonly to: number[] }
  /** Where a group begins or ends. */
  | { readonly is: "save"; readonly slot: number }
  | { readonly is: "match" };

export interface PatternProgram {
  readonly instructions: readonly Instruction[];
  /** How many the pattern has. */
  readonly groups: number;
}

/** Steps that may be taken for one text: about a millisecond. */
export const MOST_STEPS = 100_000;
const LARGEST = 1_000;

/**
 * @param groups "saved" where it matters what they took: slot 2n is where group n begins, slot 2n + 1 where it ends
 * @throws PatternProblem what is wrong with the pattern, or not known here
 */
export function compilePattern(pattern: string, groups: "saved" | "passed over"): PatternProgram {
  const compiler = new Compiler(groups);
  compiler.add(parsePattern(pattern));
  compiler.push({ is: "match" });
  return compiler;
}

/** @param previous the character before the place, and `next` the one after it; -1 where there is none */
export function isAt(place: PatternPlace, previous: number, next: number): boolean {
  if (place === "start") return previous === -1;
  if (place === "end") return next === -1;
  const boundary = isWordCharacter(previous) !== isWordCharacter(next);
  return boundary === (place === "word boundary");
}

class Compiler implements PatternProgram {
  readonly instructions: Instruction[] = [];
  readonly #groups: "saved" | "passed over";
  groups = 0;

  constructor(groups: "saved" | "passed over") {
    this.#groups = groups;
  }

  push(instruction: Instruction): void {
    if (this.instructions.length >= LARGEST) throw new PatternProblem("is too large");
    this.instructions.push(instruction);
  }

  add(tree: PatternTree): void {
    switch (tree.is) {
      case "character":
      case "place":
        this.push(tree);
        return;
      case "sequence":
        for (const part of tree.parts) this.add(part);
        return;
      case "choice":
        this.#addChoice(tree.parts);
        return;
      case "group":
        this.#addGroup(tree);
        return;
      case "repeat":
        this.#addRepeat(tree);
    }
  }

  #addGroup({ part, number }: PatternTree & { readonly is: "group" }): void {
    this.groups = Math.max(this.groups, number);
    const isSaved = this.#groups === "saved";
    if (isSaved) this.push({ is: "save", slot: 2 * number });
    this.add(part);
    if (isSaved) this.push({ is: "save", slot: 2 * number + 1 });
  }

  #addChoice(parts: readonly PatternTree[]): void {
    if (parts.length === 1) {
      for (const part of parts) this.add(part);
      return;
    }
    const begin = this.#split();
    const ends: number[][] = [];
    for (const part of parts) {
      begin.push(this.instructions.length);
      this.add(part);
      ends.push(this.#split());
    }
    for (const end of ends) end.push(this.instructions.length);
  }

  #addRepeat({ part, min, max, preferred }: PatternTree & { readonly is: "repeat" }): void {
    for (let count = 0; count < min; count++) this.add(part);
    if (max === Number.POSITIVE_INFINITY) {
      const again = this.instructions.length;
      const begin = this.#split();
      this.add(part);
      this.#split().push(again);
      begin.push(...inOrder([again + 1, this.instructions.length], preferred));
      return;
    }
    const begins: (readonly [split: number[], part: number])[] = [];
    for (let count = min; count < max; count++) {
      begins.push([this.#split(), this.instructions.length]);
      this.add(part);
    }
    for (const [split, first] of begins)
      split.push(...inOrder([first, this.instructions.length], preferred));
  }

  #split(): number[] {
    const to: number[] = [];
    this.push({ is: "split", to });
    return to;
  }
}

function inOrder(
  [again, end]: readonly [number, number],
  preferred: "many" | "few",
): readonly number[] {
  return preferred === "many" ? [again, end] : [end, again];
}
