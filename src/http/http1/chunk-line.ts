/**
 * The line before each chunk: its size, and extensions that nobody reads but all must skip alike (RFC 9112 section 7.1.1).
 * A number of states, so that it may be cut anywhere.
 */
import { CR, HEX_DIGIT, HTAB, LF, SPACE, TOKEN } from "../byte-classes.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";

/** Leading zeros count, too. */
const MAX_SIZE_DIGITS = 16;
/** Of all chunks of a message, as in Node: they cost time and carry nothing. */
export const MAX_EXTENSION_BYTES = 16_384;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

const STATE = {
  firstDigit: 0,
  digits: 1,
  nameStart: 2,
  name: 3,
  valueStart: 4,
  value: 5,
  quoted: 6,
  escaped: 7,
  afterQuoted: 8,
  lineFeed: 9,
} as const;

export class ChunkLine {
  /** In bytes, once the line is complete. */
  size = 0;
  problem: Http1Problem = PROBLEM.none;
  #state: number = STATE.firstDigit;
  #digits = 0;
  #extensionBytes = 0;

  beginMessage(): void {
    this.#extensionBytes = 0;
    this.begin();
  }

  begin(): void {
    this.size = 0;
    this.#digits = 0;
    this.#state = STATE.firstDigit;
  }

  /** @returns the offset behind the line, `INCOMPLETE` or `REFUSED` */
  read(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#state <= STATE.digits) {
        const digit = HEX_DIGIT[byte] ?? 255;
        if (digit < 16) {
          if (!this.#addDigit(digit)) return this.#refuse(PROBLEM.chunkTooLarge);
          continue;
        }
      }
      if (this.#state === STATE.lineFeed) {
        return byte === LF ? at + 1 : this.#refuse(PROBLEM.bareCarriageReturn);
      }
      const problem = this.#step(byte);
      if (problem !== PROBLEM.none) return this.#refuse(problem);
    }
    return INCOMPLETE;
  }

  #addDigit(digit: number): boolean {
    this.#state = STATE.digits;
    this.#digits++;
    this.size = this.size * 16 + digit;
    return this.#digits <= MAX_SIZE_DIGITS && this.size <= Number.MAX_SAFE_INTEGER;
  }

  #step(byte: number): Http1Problem {
    if (byte === LF) return PROBLEM.bareLineFeed;
    if (this.#state === STATE.firstDigit) return PROBLEM.invalidChunkSize;
    if (byte === CR && mayEnd(this.#state)) {
      this.#state = STATE.lineFeed;
      return PROBLEM.none;
    }
    const next = nextState(this.#state, byte);
    if (next < 0) {
      return this.#state === STATE.digits ? PROBLEM.invalidChunkSize : PROBLEM.invalidExtension;
    }
    this.#state = next;
    this.#extensionBytes++;
    return this.#extensionBytes > MAX_EXTENSION_BYTES ? PROBLEM.longExtensions : PROBLEM.none;
  }

  #refuse(problem: Http1Problem): typeof REFUSED {
    this.problem = problem;
    return REFUSED;
  }
}

function mayEnd(state: number): boolean {
  return (
    state === STATE.digits ||
    state === STATE.name ||
    state === STATE.value ||
    state === STATE.afterQuoted
  );
}

/** -1: no byte that may stand here. Space is nowhere allowed but in quotes: servers differ about it. */
function nextState(state: number, byte: number): number {
  const isToken = TOKEN[byte] === 1;
  switch (state) {
    case STATE.digits:
    case STATE.afterQuoted:
      return byte === SEMICOLON ? STATE.nameStart : -1;
    case STATE.nameStart:
      return isToken ? STATE.name : -1;
    case STATE.name:
      if (byte === EQUALS) return STATE.valueStart;
      return isToken ? STATE.name : endOfItem(byte);
    case STATE.valueStart:
      if (byte === QUOTE) return STATE.quoted;
      return isToken ? STATE.value : -1;
    case STATE.value:
      return isToken ? STATE.value : endOfItem(byte);
    case STATE.quoted:
      if (byte === QUOTE) return STATE.afterQuoted;
      if (byte === BACKSLASH) return STATE.escaped;
      return isQuotable(byte) ? STATE.quoted : -1;
    default:
      return isQuotable(byte) ? STATE.quoted : -1;
  }
}

function endOfItem(byte: number): number {
  return byte === SEMICOLON ? STATE.nameStart : -1;
}

function isQuotable(byte: number): boolean {
  return byte === HTAB || (byte >= SPACE && byte < 127);
}
