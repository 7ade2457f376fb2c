/**
 * Whether a text has a match of a regular expression, in a time that grows with the text's length alone: patterns are the
 * user's, texts are strangers', and JavaScript's own engine can be kept busy for hours.
 */
import { isWordCharacter } from "./pattern-sets.ts";
import {
  type PatternPlace,
  PatternProblem,
  type PatternTree,
  parsePattern,
} from "./pattern-tree.ts";

/** @returns undefined when the text would take too long */
export type LinearPattern = (text: string) => boolean | undefined;

const LARGEST = 1_000;
/** About a millisecond. */
const MOST_STEPS = 100_000;

/** @returns a text: what is wrong with the pattern, or not known here */
export function linearPattern(pattern: string): LinearPattern | string {
  try {
    const program = new Program();
    program.add(parsePattern(pattern));
    program.push({ is: "match" });
    return (text) => hasMatch(program.instructions, text);
  } catch (error) {
    if (error instanceof PatternProblem) return error.message;
    throw error;
  }
}

type Instruction =
  | { readonly is: "character"; readonly matches: (code: number) => boolean }
  | { readonly is: "place"; readonly place: PatternPlace }
  /** Where to go on: all of them at once. */
  | { readonly is: "split"; readonly to: number[] }
  | { readonly is: "match" };

class Program {
  readonly instructions: Instruction[] = [];

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
        this.add(tree.part);
        return;
      case "repeat":
        this.#addRepeat(tree);
    }
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

  #addRepeat({ part, min, max }: PatternTree & { readonly is: "repeat" }): void {
    for (let count = 0; count < min; count++) this.add(part);
    if (max === Number.POSITIVE_INFINITY) {
      const again = this.instructions.length;
      const begin = this.#split(this.instructions.length + 1);
      this.add(part);
      this.#split(again);
      begin.push(this.instructions.length);
      return;
    }
    const begins: number[][] = [];
    for (let count = min; count < max; count++) {
      begins.push(this.#split(this.instructions.length + 1));
      this.add(part);
    }
    for (const begin of begins) begin.push(this.instructions.length);
  }

  #split(...to: number[]): number[] {
    this.push({ is: "split", to });
    return to;
  }
}

/** All ways through the program are followed at once, each place in it at most once a character. */
function hasMatch(program: readonly Instruction[], text: string): boolean | undefined {
  const reached = new Uint32Array(program.length);
  let steps = 0;
  let round = 0;
  let previous = -1;
  let places: number[] = [];
  const follow = (from: readonly number[], next: number): number[] | "match" => {
    const waiting: number[] = [];
    const open = [0, ...from];
    round++;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached[at] === round) continue;
      reached[at] = round;
      steps++;
      const instruction = program[at];
      if (instruction?.is === "match") return "match";
      if (instruction?.is === "split") open.push(...instruction.to);
      else if (instruction?.is === "character") waiting.push(at);
      else if (instruction && isAt(instruction.place, previous, next)) open.push(at + 1);
    }
    return waiting;
  };
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? -1);
  for (let at = 0; at <= codes.length; at++) {
    const next = codes[at] ?? -1;
    const waiting = follow(places, next);
    if (waiting === "match") return true;
    if (steps > MOST_STEPS) return undefined;
    places = waiting.flatMap((place) =>
      next >= 0 && takes(program[place], next) ? [place + 1] : [],
    );
    previous = next;
  }
  return false;
}

function takes(instruction: Instruction | undefined, code: number): boolean {
  return instruction?.is === "character" && instruction.matches(code);
}

/** -1 is before the first character, and after the last. */
function isAt(place: PatternPlace, previous: number, next: number): boolean {
  if (place === "start") return previous === -1;
  if (place === "end") return next === -1;
  const boundary = isWordCharacter(previous) !== isWordCharacter(next);
  return boundary === (place === "word boundary");
}
