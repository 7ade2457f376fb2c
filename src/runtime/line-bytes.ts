/**
 * A line on its way into a log, put together as bytes in memory that serves for the next one, too. As text it would be a
 * tree of dozens of strings for each request, which whoever writes it would have to make one.
 */
import { printableJsonText } from "./printable.ts";

/** One line, without its line end. As bytes it is lent: it stays as it is until whoever was given it returns. */
export type LogLine = string | LineBytes;

const FIRST_BYTES = 4_096;
/** Below this a native copy costs more than a loop. */
const LOOP_OCTETS = 32;
/** Of one character of a string, in UTF-8. */
const MAX_CHARACTER_BYTES = 3;
/** Digits of the largest whole number that is exact. */
const MAX_DIGITS = 16;
const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
/** By character: 1 where JSON has it as it is, and so has a terminal. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code <= 0x7e && code !== QUOTE && code !== 0x5c ? 1 : 0,
);

export class LineBytes {
  /** Its beginning is the line. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;

  /** Forgets what it holds. */
  begin(): void {
    this.length = 0;
  }

  /** What was made before, in UTF-8. */
  piece(octets: Uint8Array): void {
    const { length } = octets;
    const at = this.#reserve(length);
    if (length > LOOP_OCTETS) this.bytes.set(octets, at);
    else for (let index = 0; index < length; index++) this.bytes[at + index] = octets[index] ?? 0;
    this.length = at + length;
  }

  /** @param text ASCII, and short */
  ascii(text: string): void {
    const { length } = text;
    const at = this.#reserve(length);
    for (let index = 0; index < length; index++) this.bytes[at + index] = text.charCodeAt(index);
    this.length = at + length;
  }

  text(text: string): void {
    const at = this.#reserve(MAX_CHARACTER_BYTES * text.length);
    this.length = at + this.bytes.write(text, at);
  }

  /** As JSON, with escapes in place of what could steer a terminal. */
  json(text: string): void {
    const { length } = text;
    const at = this.#reserve(length + 2);
    const { bytes } = this;
    bytes[at] = QUOTE;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (PLAIN[code] !== 1) {
        this.text(printableJsonText(text));
        return;
      }
      bytes[at + 1 + index] = code;
    }
    bytes[at + 1 + length] = QUOTE;
    this.length = at + length + 2;
  }

  /** As `json` of text of which each character is one byte. @returns false where something is to be escaped; nothing is added */
  jsonOctets(octets: Uint8Array, from: number, to: number): boolean {
    const at = this.#reserve(to - from + 2);
    const { bytes } = this;
    let end = at;
    bytes[end++] = QUOTE;
    for (let index = from; index < to; index++) {
      const code = octets[index] ?? 0;
      if (PLAIN[code] !== 1) return false;
      bytes[end++] = code;
    }
    bytes[end++] = QUOTE;
    this.length = end;
    return true;
  }

  /** @param value whole, at most 2^53 - 1 either way */
  number(value: number): void {
    let at = this.#reserve(MAX_DIGITS + 1);
    const { bytes } = this;
    if (value < 0) bytes[at++] = MINUS;
    let rest = Math.abs(value);
    let end = at + 1;
    for (let larger = rest; larger >= 10; larger = Math.floor(larger / 10)) end++;
    this.length = end;
    while (end > at) {
      bytes[--end] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }

  toString(): string {
    return this.bytes.toString("utf8", 0, this.length);
  }

  /** @returns where the next octet goes */
  #reserve(octets: number): number {
    const needed = this.length + octets;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    return this.length;
  }
}
