/**
 * Whether a text has a match of a regular expression, in a time that grows with the text's length alone: patterns are the
 * user's, texts are strangers', and JavaScript's own engine can be kept busy for hours.
 */
import { compilePattern, type Instruction, isAt, MOST_STEPS } from "./pattern-program.ts";
import { PatternProblem } from "./pattern-tree.ts";

/** @returns undefined when the text would take too long */
export type LinearPattern = (text: string) => boolean | undefined;

/** @returns a text: what is wrong with the pattern, or not known here */
export function linearPattern(pattern: string): LinearPattern | string {
  try {
    const { instructions } = compilePattern(pattern, "passed over");
    return (text) => hasMatch(instructions, text);
  } catch (error) {
    if (error instanceof PatternProblem) return error.message;
    throw error;
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
      else if (instruction?.is === "place" && isAt(instruction.place, previous, next))
        open.push(at + 1);
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
