/**
 * What the user wrote, for messages: never so long that it hides the message, nothing in it that steers a terminal, and
 * in quotes where it is text.
 */
import { printable, printableJson } from "../runtime/printable.ts";

const LONGEST = 80;

export function quoted(text: string): string {
  return printableJson(JSON.stringify(cut(text)));
}

export function shortened(text: string): string {
  return printable(cut(text));
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
