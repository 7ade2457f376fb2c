/** What requests and responses have alike: where the head lies, how long the body is, what becomes of the connection. */
import { HTAB, SPACE } from "../byte-classes.ts";
import { FIELD } from "../field-names.ts";
import { MAX_HEAD_OCTETS } from "../head-limits.ts";
import {
  connectionOptions,
  isWord,
  OPTION,
  UPGRADE,
  upgradeProtocol,
} from "./connection-options.ts";
import { FieldSection, INCOMPLETE } from "./field-section.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";

/** Of a head, with its blank line. */
export const MAX_HEAD_BYTES: number = MAX_HEAD_OCTETS;
/** `Content-Length` of a head that has none. */
export const NO_LENGTH = -1;

export abstract class MessageHead extends FieldSection {
  /** Where the start line begins, a blank line before it left out. */
  start = 0;
  /** The offset behind the head's blank line; the body's first byte. */
  end = 0;
  /** The start line ends here, its line end included: the first field's first byte. */
  fieldsStart = 0;
  /** HTTP/1.0 or HTTP/1.1. */
  minorVersion: 0 | 1 = 1;
  /** `NO_LENGTH` if there is none. */
  contentLength: number = NO_LENGTH;
  isChunked = false;
  /** Bits of `OPTION`: what `Connection` says. */
  options = 0;
  /** What `Upgrade` asks for or grants, if `Connection` says so too, and the version is 1.1 (RFC 9110 section 7.8). */
  upgrade: number = UPGRADE.none;
  #origin = 0;
  #optionBytes = 0;
  #state: "new" | "start line" | "fields" = "new";

  /**
   * Reads a head, or goes on with one. If it is `INCOMPLETE`, call again with the same bytes and more behind them: they
   * may lie elsewhere by then. After any other result the next call begins anew.
   *
   * @param from where the first byte of the head, or of a blank line before it, lies in `bytes`
   * @param to behind the last byte that has come
   * @returns the offset behind the head, `INCOMPLETE`, or `REFUSED` (see `problem`)
   */
  scan(bytes: Buffer, from: number, to: number): number {
    this.bytes = bytes;
    if (this.#state === "new") this.#begin(from);
    else if (from !== this.#origin) this.#move(from - this.#origin);
    const limit = Math.min(to, from + MAX_HEAD_BYTES);
    let end = this.#state === "start line" ? this.#scanLine(limit) : INCOMPLETE;
    if (this.#state === "fields") end = this.scanFields(limit);
    if (end === INCOMPLETE && to - from >= MAX_HEAD_BYTES) end = this.refuse(PROBLEM.headTooLarge);
    else if (end > 0) end = this.#finish(end);
    if (end !== INCOMPLETE) this.#state = "new";
    return end;
  }

  /** Forgets a head that is incomplete. */
  abandon(): void {
    this.#state = "new";
  }

  /** Whether the connection may carry another message after this one (RFC 9112 section 9.3), for all the head says. */
  get keepsAlive(): boolean {
    if ((this.options & OPTION.close) !== 0) return false;
    return this.minorVersion === 1 || (this.options & OPTION.keepAlive) !== 0;
  }

  /** @returns the offset behind the start line, `INCOMPLETE` or `REFUSED` */
  protected abstract scanStartLine(to: number): number;
  /** What is to be said once all fields are known. */
  protected abstract check(): Http1Problem;
  protected abstract shiftLine(by: number): void;

  #begin(from: number): void {
    this.#origin = from;
    this.start = from;
    this.lineStart = from;
    this.clearFields();
    this.contentLength = NO_LENGTH;
    this.isChunked = false;
    this.options = 0;
    this.#optionBytes = 0;
    this.upgrade = UPGRADE.none;
    this.#state = "start line";
  }

  #move(by: number): void {
    this.#origin += by;
    this.start += by;
    this.fieldsStart += by;
    this.shift(by);
    this.shiftLine(by);
  }

  #scanLine(to: number): number {
    const end = this.scanStartLine(to);
    if (end <= 0) return end;
    this.fieldsStart = end;
    this.lineStart = end;
    this.checked = 0;
    this.#state = "fields";
    return INCOMPLETE;
  }

  #finish(end: number): number {
    this.end = end;
    let problem = this.#readFields();
    if (problem === PROBLEM.none) problem = this.check();
    return problem === PROBLEM.none ? end : this.refuse(problem);
  }

  #readFields(): Http1Problem {
    if ((this.seen & READ_HERE) === 0) return PROBLEM.none;
    for (let index = 0; index < this.count; index++) {
      const id = this.ids[index] ?? 0;
      if (id > FIELD.upgrade || id === FIELD.other) continue;
      const problem = this.#readField(id, index);
      if (problem !== PROBLEM.none) return problem;
    }
    if (this.minorVersion === 0 || (this.options & OPTION.upgrade) === 0)
      this.upgrade = UPGRADE.none;
    if (!this.isChunked) return PROBLEM.none;
    if (this.minorVersion === 0) return PROBLEM.codingInOldVersion;
    return this.contentLength === NO_LENGTH ? PROBLEM.none : PROBLEM.lengthAndCoding;
  }

  #readField(id: number, index: number): Http1Problem {
    const { bytes, ranges } = this;
    const start = ranges[4 * index + 2] ?? 0;
    const end = ranges[4 * index + 3] ?? 0;
    if (id === FIELD.connection) {
      this.options |= connectionOptions(bytes, start, end);
      this.#optionBytes += end - start;
      if (this.#optionBytes > MAX_OPTION_BYTES) return PROBLEM.longConnection;
    } else if (id === FIELD.upgrade) {
      const isFirst = this.upgrade === UPGRADE.none;
      this.upgrade = isFirst ? upgradeProtocol(bytes, start, end) : UPGRADE.other;
    } else if (hasTabAround(bytes, ranges, index)) return PROBLEM.tabInFraming;
    else if (id === FIELD["content-length"]) {
      if (this.contentLength !== NO_LENGTH) return PROBLEM.severalLengths;
      this.contentLength = readLength(bytes, start, end);
      if (this.contentLength < 0) return PROBLEM.invalidLength;
    } else if (id === FIELD["transfer-encoding"]) {
      if (this.isChunked) return PROBLEM.severalCodings;
      if (!isWord(bytes, { start, end }, CHUNKED)) return this.#otherCoding();
      this.isChunked = true;
    }
    return PROBLEM.none;
  }

  #otherCoding(): Http1Problem {
    return this.minorVersion === 0 ? PROBLEM.codingInOldVersion : PROBLEM.unknownCoding;
  }
}

/** Digits alone, as a sender writes a number: no sign, no list, no leading zero, no more than 2^53 - 1. @returns -1 if not so */
function readLength(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 1 || end - start > MAX_LENGTH_DIGITS) return -1;
  if (bytes[start] === ZERO && end - start > 1) return -1;
  let length = 0;
  for (let index = start; index < end; index++) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : -1;
}

/** Of all `Connection` fields: each name in them is looked for among all fields. */
const MAX_OPTION_BYTES = 1_024;
const ZERO = 48;
const MAX_LENGTH_DIGITS = 16;
/** Allowed, but `llhttp` reads a field that frames the message in another way when a tab follows it. */
function hasTabAround(bytes: Uint8Array, ranges: Uint32Array, index: number): boolean {
  const start = ranges[4 * index + 2] ?? 0;
  for (let at = (ranges[4 * index + 1] ?? 0) + 1; at < start; at++) {
    if (bytes[at] === HTAB) return true;
  }
  let at = ranges[4 * index + 3] ?? 0;
  while (bytes[at] === SPACE) at++;
  return bytes[at] === HTAB;
}

const CHUNKED = Buffer.from("chunked");
const READ_HERE =
  (1 << FIELD["content-length"]) |
  (1 << FIELD["transfer-encoding"]) |
  (1 << FIELD.connection) |
  (1 << FIELD.upgrade);
