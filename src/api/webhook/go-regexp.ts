/**
 * Whether a regular expression is one in Go's notation (RE2): no look-around and no references back, which
 * JavaScript would take. It is only judged, never run.
 * Source: https://github.com/google/re2/wiki/Syntax
 */
import { quoted } from "../quoted.ts";
import { readClass, readEscape } from "./go-regexp-class.ts";
import { RegexpCursor, RegexpFault } from "./go-regexp-cursor.ts";

/** Istio's bound, in bytes. */
const MAX_LENGTH = 1024;

/** What is wrong with a pattern, or undefined. */
export function regexpProblem(pattern: string): string | undefined {
  if (pattern === "") return "must not be empty";
  if (Buffer.byteLength(pattern) > MAX_LENGTH) return `must not be longer than ${MAX_LENGTH} bytes`;
  try {
    readPattern(new RegexpCursor(pattern));
    return undefined;
  } catch (fault) {
    if (!(fault instanceof RegexpFault)) throw fault;
    return `${quoted(pattern)} is not a regular expression of RE2: ${fault.message}`;
  }
}

/** How often nested repetitions repeat the innermost, at most. */
type Weight = number;

const MAX_REPEAT = 1000;
const COUNT = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/;

interface GroupNames {
  readonly names: Set<string>;
}

function readPattern(cursor: RegexpCursor): void {
  readAlternatives(cursor, { names: new Set() });
  if (!cursor.atEnd) throw new RegexpFault('")" without "("');
}

function readAlternatives(cursor: RegexpCursor, groups: GroupNames): Weight {
  let heaviest: Weight = 1;
  do heaviest = Math.max(heaviest, readSequence(cursor, groups));
  while (cursor.take("|"));
  return heaviest;
}

/** Up to the next `|`, `)` or the end. */
function readSequence(cursor: RegexpCursor, groups: GroupNames): Weight {
  let heaviest: Weight = 1;
  let last: Weight | "nothing" = "nothing";
  while (!cursor.atEnd && cursor.peek !== "|" && cursor.peek !== ")") {
    if (isRepetition(cursor)) {
      if (last === "nothing") throw new RegexpFault(`nothing before ${quoted(cursor.peek)}`);
      last = readRepetition(cursor, last);
      if (isRepetition(cursor)) throw new RegexpFault("two repetitions in a row");
    } else {
      last = readAtom(cursor, groups) ?? last;
    }
    if (last !== "nothing") heaviest = Math.max(heaviest, last);
  }
  return heaviest;
}

/** A `{` that begins no count is an ordinary character. */
function isRepetition(cursor: RegexpCursor): boolean {
  return ["*", "+", "?"].includes(cursor.peek) || COUNT.test(cursor.rest);
}

function readRepetition(cursor: RegexpCursor, repeated: Weight): Weight {
  const [count, least = "", comma, most] = COUNT.exec(cursor.rest) ?? [];
  cursor.skip(count?.length ?? 1);
  cursor.take("?");
  if (count === undefined) return repeated;
  const min = Number(least);
  const max = comma === undefined ? min : most === undefined ? undefined : Number(most);
  const top = max ?? min;
  const weight = top === 0 ? (max === 0 ? 0 : repeated) : top * Math.max(1, repeated);
  const tooMuch = Math.max(min, top) > MAX_REPEAT || (top >= 2 && weight > MAX_REPEAT);
  if (tooMuch || min > top) throw new RegexpFault(`${count} repeats too often`);
  return weight;
}

/** @returns undefined for flags and for an empty quotation: there is nothing that could be repeated */
function readAtom(cursor: RegexpCursor, groups: GroupNames): Weight | undefined {
  if (cursor.take("\\Q\\E")) return undefined;
  if (cursor.peek === "(") return readGroup(cursor, groups);
  if (cursor.peek === "[") readClass(cursor);
  else if (cursor.peek === "\\") readEscape(cursor);
  else cursor.skip(1);
  return 1;
}

const FLAGS = /^\(\?([imsU]*)(-[imsU]+)?([:)])/;
const NAMED = /^\(\?P?<([^>]*)>/;

function readGroup(cursor: RegexpCursor, groups: GroupNames): Weight | undefined {
  const [flags, , , end] = FLAGS.exec(cursor.rest) ?? [];
  const [named, name = ""] = NAMED.exec(cursor.rest) ?? [];
  if (flags !== undefined) {
    cursor.skip(flags.length);
    if (end === ")") return undefined;
  } else if (named !== undefined) {
    addName(name, groups);
    cursor.skip(named.length);
  } else if (cursor.rest.startsWith("(?")) {
    throw new RegexpFault(`${quoted(cursor.rest.slice(0, 4))} begins no group`);
  } else cursor.skip(1);
  const weight = readAlternatives(cursor, groups);
  if (!cursor.take(")")) throw new RegexpFault('"(" without ")"');
  return weight;
}

function addName(name: string, { names }: GroupNames): void {
  if (!/^\w+$/.test(name)) throw new RegexpFault(`${quoted(name)} is not the name of a group`);
  if (names.has(name)) throw new RegexpFault(`two groups are called ${quoted(name)}`);
  names.add(name);
}
