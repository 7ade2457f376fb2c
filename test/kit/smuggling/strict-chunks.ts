/** Chunked bodies to the letter of RFC 9112 section 7.1. */
import { type Field, parseFields, readLines, TOKEN } from "./strict-fields.ts";

export interface Chunks {
  /** What came, also if something is wrong behind it. */
  readonly body: string;
  readonly trailers: readonly Field[];
  /** Behind the last byte; undefined while bytes are missing. */
  readonly end: number | undefined;
  /** Why nobody can say where it ends. */
  readonly problem: string | undefined;
  /** Why it must be refused, although everybody agrees where it ends. */
  readonly malformed: string | undefined;
}

/** Lengths from here on are beyond what any reader counts: those below are only not there yet. */
export const BEYOND: bigint = 2n ** 63n;

const QUOTED =
  '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const EXTENSION = `[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?`;
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]+)(?:${EXTENSION})*$`);
/** No quote that might go on, and no control byte. */
const LOOSE_SIZE_LINE = /^([0-9A-Fa-f]+)[ \t]*;[\t\x20\x21\x23-\x7e\x80-\xff]*$/;

/** @param text latin1 */
export function readChunks(text: string, from: number): Chunks {
  let at = from;
  let body = "";
  let malformed: string | undefined;
  const told = (rest: Partial<Chunks>): Chunks => {
    return { body, malformed, trailers: [], end: undefined, problem: undefined, ...rest };
  };
  for (;;) {
    const feed = text.indexOf("\n", at);
    if (feed < 0) return told({});
    const line = text[feed - 1] === "\r" ? text.slice(at, feed - 1) : "";
    const size = sizeOf(line);
    if (size === undefined) return told({ problem: "a chunk line that is none" });
    if (!SIZE_LINE.test(line)) malformed = "a malformed chunk extension";
    at = feed + 1;
    if (size === 0) return told(readTrailers(text, at));
    body += text.slice(at, at + size);
    if (text.length < at + size + 2) return told(endsWrong(text.slice(at + size)));
    if (!text.startsWith("\r\n", at + size)) return told(CHUNK_END);
    at += size + 2;
  }
}

const CHUNK_END = { problem: "a chunk without its line end" };

function endsWrong(rest: string): Partial<Chunks> {
  return rest === "" || rest === "\r" ? {} : CHUNK_END;
}

function sizeOf(line: string): number | undefined {
  const digits = (SIZE_LINE.exec(line) ?? LOOSE_SIZE_LINE.exec(line))?.[1];
  if (digits === undefined) return undefined;
  const size = BigInt(`0x${digits}`);
  return size < BEYOND ? Number(size) : undefined;
}

function readTrailers(text: string, from: number): Partial<Chunks> {
  const read = readLines(text, from);
  if ("problem" in read) return read;
  if (read.end === undefined) return {};
  const trailers = parseFields(read.lines);
  return "problem" in trailers ? trailers : { trailers, end: read.end };
}
