/** Regular expressions in RE2's syntax, as far as a filter of a log needs them: read into a tree of what matches. */

import { type CharacterTest, CONTROLS, POSIX_SETS, SETS } from "./pattern-sets.ts";

export type PatternTree =
  | { readonly is: "character"; readonly matches: CharacterTest }
  | { readonly is: "place"; readonly place: PatternPlace }
  | { readonly is: "sequence" | "choice"; readonly parts: readonly PatternTree[] }
  | {
      readonly is: "repeat";
      readonly part: PatternTree;
      readonly min: number;
      readonly max: number;
      /** Which of several matches counts where it matters what a group took. */
      readonly preferred: "many" | "few";
    }
  /** What a group takes has a number, from 1. */
  | { readonly is: "group"; readonly number: number; readonly part: PatternTree };

/** Between two characters. */
export type PatternPlace = "start" | "end" | "word boundary" | "no word boundary";

/** What RE2 refuses too, and what it knows and this reader does not. */
export class PatternProblem extends Error {}

/** As RE2. */
const MOST_REPEATS = 1_000;
const DEEPEST = 100;

/** @throws PatternProblem */
export function parsePattern(pattern: string): PatternTree {
  const reader = new PatternReader(pattern);
  const tree = reader.choice({ folded: false, dotAll: false }, 0);
  reader.end();
  return tree;
}

interface Flags {
  readonly folded: boolean;
  readonly dotAll: boolean;
}

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;
  #groups = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  end(): void {
    if (this.#at < this.#characters.length) throw new PatternProblem("has a ) too many");
  }

  choice(flags: Flags, depth: number): PatternTree {
    if (depth > DEEPEST) throw new PatternProblem("is nested too deeply");
    const parts: PatternTree[] = [];
    let within = flags;
    let sequence: PatternTree[] = [];
    while (this.#at < this.#characters.length && this.#next() !== ")") {
      if (this.#take("|")) {
        parts.push({ is: "sequence", parts: sequence });
        sequence = [];
        continue;
      }
      const switched = this.#flagSwitch(within);
      if (switched !== undefined) within = switched;
      else sequence.push(this.#repeated(this.#atom(within, depth)));
    }
    parts.push({ is: "sequence", parts: sequence });
    return { is: "choice", parts };
  }

  /** `(?i)`, for what follows in the group. */
  #flagSwitch(flags: Flags): Flags | undefined {
    const text = this.#characters.slice(this.#at, this.#at + 6).join("");
    const [written, names] = /^\(\?([is]{1,2})\)/.exec(text) ?? [];
    if (written === undefined || names === undefined) return undefined;
    this.#at += written.length;
    return withFlags(flags, names);
  }

  #atom(flags: Flags, depth: number): PatternTree {
    const character = this.#take();
    switch (character) {
      case "(":
        return this.#group(flags, depth);
      case "[":
        return one(folding(this.#set(), flags));
      case ".":
        return one(flags.dotAll ? () => true : (code) => code !== LINE_FEED);
      case "^":
        return { is: "place", place: "start" };
      case "$":
        return { is: "place", place: "end" };
      case "\\":
        return this.#escape(flags);
      case "*":
      case "+":
      case "?":
        throw new PatternProblem(`has a ${character} with nothing before it`);
      default:
        return one(folding(equals(codeOf(character)), flags));
    }
  }

  #group(flags: Flags, depth: number): PatternTree {
    let within = flags;
    const number = this.#isNumbered() ? ++this.#groups : 0;
    if (this.#take("?")) {
      const rest = this.#characters.slice(this.#at, this.#at + 40).join("");
      const [written, names = ""] =
        /^(?:([is]{0,2}):|P?<[A-Za-z_][A-Za-z0-9_]{0,30}>)/.exec(rest) ?? [];
      if (written === undefined)
        throw new PatternProblem("has a group of a kind that is not known");
      this.#at += written.length;
      within = withFlags(flags, names);
    }
    const tree = this.choice(within, depth + 1);
    if (!this.#take(")")) throw new PatternProblem("has a ( too many");
    return number > 0 ? { is: "group", number, part: tree } : tree;
  }

  /** `(`, `(?P<name>` and `(?<name>`. */
  #isNumbered(): boolean {
    return /^(?:[^?]|\?P?<)/.test(this.#characters.slice(this.#at, this.#at + 3).join(""));
  }

  #escape(flags: Flags): PatternTree {
    const place = PLACES.get(this.#next() ?? "");
    if (place === undefined) return one(folding(this.#escapedSet(), flags));
    this.#at++;
    return { is: "place", place };
  }

  /** What follows a backslash, in a set or outside. */
  #escapedSet(): CharacterTest {
    const character = this.#take();
    if (character === undefined) throw new PatternProblem("ends with a backslash");
    const set = SETS.get(character);
    if (set !== undefined) return set;
    return equals(this.#escapedCode(character));
  }

  #escapedCode(character: string): number {
    const control = CONTROLS.get(character);
    if (control !== undefined) return control;
    if (character === "x") return this.#hexadecimal();
    if (/[A-Za-z0-9]/.test(character))
      throw new PatternProblem(`has \\${character}, which is not known`);
    return codeOf(character);
  }

  #hexadecimal(): number {
    const rest = this.#characters.slice(this.#at, this.#at + 10).join("");
    const [written, short, long] = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) ?? [];
    if (written === undefined) throw new PatternProblem("has a broken \\x");
    this.#at += written.length;
    return Number.parseInt(short ?? long ?? "", 16);
  }

  /** After its `[`. */
  #set(): CharacterTest {
    const inverse = this.#take("^");
    const tests: CharacterTest[] = [];
    for (let first = true; first || this.#next() !== "]"; first = false) tests.push(this.#range());
    this.#at++;
    const any: CharacterTest = (code) => tests.some((test) => test(code));
    return inverse ? (code) => !any(code) : any;
  }

  #range(): CharacterTest {
    const posix = this.#posixSet();
    if (posix !== undefined) return posix;
    const from = this.#take();
    if (from === undefined) throw new PatternProblem("has a [ too many");
    const set = from === "\\" ? SETS.get(this.#next() ?? "") : undefined;
    if (set !== undefined) {
      this.#at++;
      return set;
    }
    const low = from === "\\" ? this.#escapedCode(this.#take() ?? "") : codeOf(from);
    if (this.#next() !== "-" || this.#characters[this.#at + 1] === "]") return equals(low);
    this.#at++;
    const to = this.#take();
    if (to === undefined) throw new PatternProblem("has a [ too many");
    const high = to === "\\" ? this.#escapedCode(this.#take() ?? "") : codeOf(to);
    if (high < low) throw new PatternProblem("has a range that ends before it begins");
    return (code) => code >= low && code <= high;
  }

  #posixSet(): CharacterTest | undefined {
    const rest = this.#characters.slice(this.#at, this.#at + 12).join("");
    const [written, name = ""] = /^\[:([a-z]+):\]/.exec(rest) ?? [];
    if (written === undefined) return undefined;
    const set = POSIX_SETS.get(name);
    if (set === undefined) throw new PatternProblem(`has ${written}, which is not known`);
    this.#at += written.length;
    return set;
  }

  #repeated(part: PatternTree): PatternTree {
    const rest = this.#characters.slice(this.#at, this.#at + 16).join("");
    const [written, sign, from, comma, to] =
      /^(?:([*+?])|\{(\d{1,4})(,?)(\d{0,4})\})\??/.exec(rest) ?? [];
    if (written === undefined) return part;
    this.#at += written.length;
    const preferred = written.length > 1 && written.endsWith("?") ? "few" : "many";
    if (/^[*+?{]/.test(this.#characters.slice(this.#at, this.#at + 1).join(""))) {
      throw new PatternProblem("repeats a repetition");
    }
    const none = Number.POSITIVE_INFINITY;
    if (sign !== undefined) {
      const [least, most] = [sign === "+" ? 1 : 0, sign === "?" ? 1 : none];
      return { is: "repeat", part, min: least, max: most, preferred };
    }
    const min = Number(from);
    const max = comma === "" ? min : to === "" ? none : Number(to);
    const tooMany = min > MOST_REPEATS || (max !== none && max > MOST_REPEATS);
    if (tooMany || max < min) throw new PatternProblem("repeats too often, or the wrong way round");
    return { is: "repeat", part, min, max, preferred };
  }

  #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string | undefined;
  #take(wanted: string): boolean;
  #take(wanted?: string): string | undefined | boolean {
    const next = this.#next();
    if (wanted === undefined) {
      this.#at++;
      return next;
    }
    if (next === wanted) this.#at++;
    return next === wanted;
  }
}

const LINE_FEED = 0x0a;

const PLACES: ReadonlyMap<string, PatternPlace> = new Map([
  ["A", "start"],
  ["z", "end"],
  ["b", "word boundary"],
  ["B", "no word boundary"],
]);

function one(matches: CharacterTest): PatternTree {
  return { is: "character", matches };
}

function equals(wanted: number): CharacterTest {
  return (code) => code === wanted;
}

function codeOf(character: string | undefined): number {
  return character?.codePointAt(0) ?? -1;
}

function withFlags({ folded, dotAll }: Flags, names: string): Flags {
  return { folded: folded || names.includes("i"), dotAll: dotAll || names.includes("s") };
}

function folding(test: CharacterTest, { folded }: Flags): CharacterTest {
  if (!folded) return test;
  return (code) => test(code) || test(otherCase(code));
}

function otherCase(code: number): number {
  const character = String.fromCodePoint(code);
  const lower = character.toLowerCase();
  const other = lower === character ? character.toUpperCase() : lower;
  return [...other].length === 1 ? codeOf(other) : code;
}
