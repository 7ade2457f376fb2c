/**
 * Reads the field lines of a head or of trailers in place, strictly: what any two readers might take for different things
 * is refused (RFC 9112 sections 2.2 and 5, QK-16). Bytes may come in any pieces; none is looked at twice, but for a name.
 */
import { COLON, CR, FIELD_VALUE, HTAB, LF, SPACE, TOKEN } from "../byte-classes.ts";
import { fieldIdOf } from "../field-names.ts";
import type { FieldRanges } from "../field-ranges.ts";
import { MAX_HEAD_FIELDS } from "../head-limits.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";

/** What a scan returns instead of the offset behind the last byte it took. */
export const INCOMPLETE = 0;
export const REFUSED = -1;

export const MAX_FIELDS: number = MAX_HEAD_FIELDS;
const MAX_NAME_BYTES = 256;

export class FieldSection implements FieldRanges {
  /** What the offsets count in; valid until its owner overwrites it. */
  bytes: Buffer = NOTHING;
  count = 0;
  readonly ranges: Uint32Array = new Uint32Array(4 * MAX_FIELDS);
  readonly ids: Uint8Array = new Uint8Array(MAX_FIELDS);
  /** Bit `id` is set if there is a field of that id; of ids from 1 to 31. */
  seen = 0;
  /** Says why the last scan returned `REFUSED`. */
  problem: Http1Problem = PROBLEM.none;
  /** Where the line begins that is being read, and up to where its value has been looked at. */
  protected lineStart = 0;
  protected checked = 0;

  protected clearFields(): void {
    this.count = 0;
    this.seen = 0;
    this.checked = 0;
  }

  protected refuse(problem: Http1Problem): typeof REFUSED {
    this.problem = problem;
    return REFUSED;
  }

  /** From `lineStart` on. @returns the offset behind the blank line, `INCOMPLETE` or `REFUSED` */
  protected scanFields(to: number): number {
    const { bytes } = this;
    let at = this.lineStart;
    while (at < to) {
      if (bytes[at] === CR) return this.#scanBlankLine(at, to);
      let index = at;
      while (index < to && TOKEN[bytes[index] ?? 0] === 1) index++;
      const nameEnd = index;
      if (nameEnd - at > MAX_NAME_BYTES) return this.refuse(PROBLEM.longName);
      if (index === to) break;
      if (bytes[index] !== COLON || nameEnd === at)
        return this.refuse(nameProblem(bytes, at, index));
      index = index < this.checked ? this.checked : index + 1;
      while (index < to && FIELD_VALUE[bytes[index] ?? 0] === 1) index++;
      this.checked = index;
      if (index === to) break;
      if (bytes[index] !== CR) return this.refuse(lineProblem(bytes[index]));
      if (index + 1 === to) break;
      if (bytes[index + 1] !== LF) return this.refuse(PROBLEM.bareCarriageReturn);
      if (this.count === MAX_FIELDS) return this.refuse(PROBLEM.tooManyFields);
      this.#keep(at, nameEnd, index);
      at = index + 2;
    }
    this.lineStart = at;
    return INCOMPLETE;
  }

  /** Follows bytes that were moved by that much in the meantime. */
  protected shift(by: number): void {
    const { ranges } = this;
    for (let index = 0; index < 4 * this.count; index++) ranges[index] = (ranges[index] ?? 0) + by;
    this.lineStart += by;
    this.checked += by;
  }

  #scanBlankLine(at: number, to: number): number {
    this.lineStart = at;
    if (at + 1 === to) return INCOMPLETE;
    return this.bytes[at + 1] === LF ? at + 2 : this.refuse(PROBLEM.bareCarriageReturn);
  }

  #keep(nameStart: number, nameEnd: number, lineEnd: number): void {
    const { bytes, ranges } = this;
    let start = nameEnd + 1;
    let end = lineEnd;
    while (start < end && isSpace(bytes[start])) start++;
    while (end > start && isSpace(bytes[end - 1])) end--;
    const place = 4 * this.count;
    ranges[place] = nameStart;
    ranges[place + 1] = nameEnd;
    ranges[place + 2] = start;
    ranges[place + 3] = end;
    const id = fieldIdOf(bytes, nameStart, nameEnd);
    this.ids[this.count] = id;
    if (id > 0 && id < 32) this.seen |= 1 << id;
    this.count++;
    this.checked = 0;
  }
}

/** What is wrong with a byte that stands where neither text nor a carriage return does. */
export function lineProblem(byte: number | undefined): Http1Problem {
  return byte === LF ? PROBLEM.bareLineFeed : PROBLEM.invalidValue;
}

function nameProblem(bytes: Uint8Array, start: number, at: number): Http1Problem {
  const byte = bytes[at];
  if (byte === LF) return PROBLEM.bareLineFeed;
  if (isSpace(byte)) return at === start ? PROBLEM.foldedLine : PROBLEM.spaceBeforeColon;
  if (byte === CR) return PROBLEM.noColon;
  return byte === COLON ? PROBLEM.emptyName : PROBLEM.invalidName;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === HTAB;
}

const NOTHING = Buffer.alloc(0);
