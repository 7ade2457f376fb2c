/**
 * Replaces what a regular expression matches, as RE2's GlobalReplace does, in a time that grows with the text's length
 * alone: patterns are the user's, texts are strangers'.
 */
import { compilePattern, type Instruction, isAt, MOST_STEPS } from "./pattern-program.ts";
import { PatternProblem } from "./pattern-tree.ts";

/** @returns undefined when the text would take too long */
export type PatternReplacement = (text: string) => string | undefined;

/**
 * @param substitution `\0` is the whole match, `\1` to `\9` its groups, `\\` a backslash
 * @returns a text: what is wrong with either, or not known here
 */
export function patternReplacement(
  pattern: string,
  substitution: string,
): PatternReplacement | string {
  try {
    const { instructions: program, groups } = compilePattern(pattern, "saved");
    const parts = substitutionParts(substitution, groups);
    return (text) => replaceAll(text, { program, parts });
  } catch (error) {
    if (error instanceof PatternProblem) return error.message;
    throw error;
  }
}

/** Texts, and numbers of groups. */
type SubstitutionPart = string | number;

function substitutionParts(substitution: string, groups: number): readonly SubstitutionPart[] {
  const parts = substitution.match(/\\.|\\$|[^\\]+/gs) ?? [];
  return parts.map((part) => {
    if (!part.startsWith("\\")) return part;
    if (part === "\\\\") return "\\";
    const group = /^\\[0-9]$/.test(part) ? Number(part.slice(1)) : Number.POSITIVE_INFINITY;
    if (group > groups) throw new PatternProblem(`has no group for ${part} of the substitution`);
    return group;
  });
}

interface Replacing {
  readonly program: readonly Instruction[];
  readonly parts: readonly SubstitutionPart[];
}

/** An empty match that begins where the last match ended is none. */
function replaceAll(text: string, { program, parts }: Replacing): string | undefined {
  const search = new Search(program, Array.from(text));
  let replaced = "";
  let copied = 0;
  let lastEnd = -1;
  for (let from = 0; from <= search.length; ) {
    const found = search.from(from);
    if (found === "too long") return undefined;
    if (found === undefined) break;
    const [start = 0, end = 0] = found;
    if (start === end && end === lastEnd) {
      from = end + 1;
      continue;
    }
    replaced += search.text(copied, start);
    for (const part of parts) {
      replaced +=
        typeof part === "string" ? part : search.text(found[2 * part], found[2 * part + 1]);
    }
    [copied, lastEnd, from] = [end, end, end];
  }
  return replaced + search.text(copied, search.length);
}

/** Where the whole match and its groups begin and end; a group that took nothing has no place. */
type Places = readonly (number | undefined)[];

/** All ways through the program are followed at once, the preferred ones first. */
class Search {
  readonly #program: readonly Instruction[];
  readonly #characters: readonly string[];
  readonly #reached: Uint32Array;
  #round = 0;
  #steps = 0;

  constructor(program: readonly Instruction[], characters: readonly string[]) {
    this.#program = program;
    this.#characters = characters;
    this.#reached = new Uint32Array(program.length);
  }

  get length(): number {
    return this.#characters.length;
  }

  text(start: number | undefined, end: number | undefined): string {
    if (start === undefined || end === undefined) return "";
    return this.#characters.slice(start, end).join("");
  }

  /** The leftmost match that begins there or later. */
  from(first: number): Places | "too long" | undefined {
    let waiting: Thread[] = [];
    let found: Places | undefined;
    for (let at = first; at <= this.length; at++) {
      this.#round++;
      const next: Thread[] = [];
      const threads = found === undefined ? [...waiting, { at: 0, places: [at] }] : waiting;
      for (const thread of threads) {
        const end = this.#follow(thread, at, next);
        if (end === undefined) continue;
        found = end;
        break;
      }
      if (this.#steps > MOST_STEPS) return "too long";
      if (next.length === 0 && found !== undefined) return found;
      waiting = next.flatMap((thread) => this.#advance(thread, at));
    }
    return found;
  }

  /** Adds what waits for a character; what is less preferred than a match is not followed. */
  #follow(thread: Thread, position: number, next: Thread[]): Places | undefined {
    const open: Thread[] = [thread];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const { at, places } = one;
      if (this.#reached[at] === this.#round) continue;
      this.#reached[at] = this.#round;
      this.#steps++;
      const instruction = this.#program[at];
      switch (instruction?.is) {
        case "match":
          return places.toSpliced(1, 1, position);
        case "split":
          for (const to of instruction.to.toReversed()) open.push({ at: to, places });
          break;
        case "save":
          open.push({ at: at + 1, places: withPlace(places, instruction.slot, position) });
          break;
        case "place":
          if (isAt(instruction.place, this.#codeAt(position - 1), this.#codeAt(position)))
            open.push({ at: at + 1, places });
          break;
        case "character":
          next.push(one);
      }
    }
    return undefined;
  }

  #advance({ at, places }: Thread, position: number): readonly Thread[] {
    const instruction = this.#program[at];
    const code = this.#codeAt(position);
    const takes = instruction?.is === "character" && code >= 0 && instruction.matches(code);
    return takes ? [{ at: at + 1, places }] : [];
  }

  /** -1 is before the first character, and after the last. */
  #codeAt(position: number): number {
    return this.#characters[position]?.codePointAt(0) ?? -1;
  }
}

interface Thread {
  readonly at: number;
  readonly places: Places;
}

function withPlace(places: Places, slot: number, position: number): Places {
  const changed = [...places];
  while (changed.length < slot) changed.push(undefined);
  changed[slot] = position;
  return changed;
}
