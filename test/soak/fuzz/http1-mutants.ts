/** Messages changed in a few places: bytes, pieces, lines, letter case; and several in a row. */
import type { Dice } from "../../kit/dice.ts";
import { PIECES } from "./http1-corpus.ts";

const MAX_MESSAGES = 3;
const MAX_CHANGES = 4;
/** Most of them well formed: what comes behind a message is as interesting as the message. */
const UNCHANGED = 0.15;

type Change = (text: string, dice: Dice) => string;

const CHANGES: readonly Change[] = [
  (text, dice) => putIn(text, dice, dice.pick(PIECES)),
  (text, dice) => putIn(text, dice, dice.pick(PIECES)),
  (text, dice) => putIn(text, dice, String.fromCharCode(dice.between(0, 255))),
  replaceByte,
  removeRange,
  repeatRange,
  changeCase,
  changeDigit,
  putInLine,
  putInLine,
  swapLines,
  cutOff,
];

/** Latin1. */
export function mutantOf(corpus: readonly string[], dice: Dice): string {
  return dice.several(1, MAX_MESSAGES, () => messageOf(corpus, dice)).join("");
}

function messageOf(corpus: readonly string[], dice: Dice): string {
  let text = dice.pick(corpus);
  if (dice.chance(UNCHANGED)) return text;
  for (const change of dice.several(1, MAX_CHANGES, () => dice.pick(CHANGES))) {
    text = change(text, dice);
  }
  return text;
}

function putIn(text: string, dice: Dice, piece: string): string {
  const at = dice.between(0, text.length);
  return text.slice(0, at) + piece + text.slice(at);
}

function replaceByte(text: string, dice: Dice): string {
  const at = dice.between(0, text.length);
  return text.slice(0, at) + String.fromCharCode(dice.between(0, 255)) + text.slice(at + 1);
}

function removeRange(text: string, dice: Dice): string {
  const at = dice.between(0, text.length);
  return text.slice(0, at) + text.slice(at + dice.between(1, 6));
}

function repeatRange(text: string, dice: Dice): string {
  const at = dice.between(0, text.length);
  const end = at + dice.between(1, 40);
  return text.slice(0, end) + text.slice(at);
}

function changeCase(text: string, dice: Dice): string {
  const at = dice.between(0, text.length);
  const end = at + dice.between(1, 12);
  const part = text.slice(at, end);
  const changed = dice.chance(0.5) ? part.toLowerCase() : part.toUpperCase();
  return text.slice(0, at) + (changed.length === part.length ? changed : part) + text.slice(end);
}

function changeDigit(text: string, dice: Dice): string {
  const places = [...text.matchAll(/[0-9]/g)].map(({ index }) => index);
  if (places.length === 0) return text;
  const at = dice.pick(places);
  const digits = ["", "0", "1", "2", "5", "9", "a", "10", "ffffffffffffffff"];
  return text.slice(0, at) + dice.pick(digits) + text.slice(at + 1);
}

function putInLine(text: string, dice: Dice): string {
  const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index + 2);
  if (ends.length === 0) return text;
  const at = dice.pick(ends);
  return text.slice(0, at) + dice.pick(PIECES) + text.slice(at);
}

function swapLines(text: string, dice: Dice): string {
  const lines = text.split("\r\n");
  const [one, other] = [dice.between(0, lines.length - 1), dice.between(0, lines.length - 1)];
  const [first = "", second = ""] = [lines[one], lines[other]];
  lines[one] = second;
  lines[other] = first;
  return lines.join("\r\n");
}

function cutOff(text: string, dice: Dice): string {
  return text.slice(0, dice.between(0, text.length));
}
