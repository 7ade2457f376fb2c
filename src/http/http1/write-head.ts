/**
 * Heads that are not a received one with changes: made of the fields of an HTTP/2 message. Lines are written one after the
 * other; the owner of `target` sees to it that there is room.
 */
import { STATUS_CODES } from "node:http";
import { COLON, CR, FIELD_VALUE, LF, SPACE, TARGET, TOKEN } from "../byte-classes.ts";
import type { FieldRanges } from "../field-ranges.ts";
import { checkText, copyRange, writeByte, writeText } from "./write-bytes.ts";

export interface RequestLine {
  /** Upper case. */
  readonly method: string;
  /** In any form that the method allows; each character is one byte. */
  readonly target: string;
}

/** @returns the offset behind the line. @throws RangeError if a character could end it or a part of it */
export function writeRequestLine(target: Buffer, at: number, line: RequestLine): number {
  if (line.method === "" || line.target === "") throw new RangeError("a part of the line is empty");
  checkText(line.method, TOKEN);
  checkText(line.target, TARGET);
  return writeText(target, at, `${line.method} ${line.target} HTTP/1.1\r\n`);
}

/** With the usual reason. @returns the offset behind the line */
export function writeStatusLine(target: Buffer, at: number, status: number): number {
  if (!(status >= 100 && status < 600)) throw new RangeError(`no status ${status}`);
  return writeText(target, at, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`);
}

/**
 * A field as it was received by either codec, which has checked that nothing in it ends a line. It may take four bytes more
 * than its name and value.
 *
 * @returns the offset behind the line
 */
export function copyField(
  fields: FieldRanges,
  index: number,
  to: { target: Buffer; at: number },
): number {
  const { bytes, ranges } = fields;
  const [place, { target }] = [4 * index, to];
  const name = { bytes, start: ranges[place] ?? 0, end: ranges[place + 1] ?? 0 };
  const value = { bytes, start: ranges[place + 2] ?? 0, end: ranges[place + 3] ?? 0 };
  const at = writeSeparator(target, copyRange(name, target, to.at));
  return writeLineEnd(target, copyRange(value, target, at));
}

/** @returns the offset behind the line. @throws RangeError if a character could end it, or the name is none */
export function writeField(target: Buffer, at: number, field: readonly [string, string]): number {
  const [name, value] = field;
  if (name === "") throw new RangeError("a field needs a name");
  checkText(name, TOKEN);
  checkText(value, FIELD_VALUE);
  const end = writeSeparator(target, writeText(target, at, name));
  return writeLineEnd(target, writeText(target, end, value));
}

/** The blank line behind the last field is one, too. @returns the offset behind it */
export function writeLineEnd(target: Buffer, at: number): number {
  return writeByte(target, writeByte(target, at, CR), LF);
}

function writeSeparator(target: Buffer, at: number): number {
  return writeByte(target, writeByte(target, at, COLON), SPACE);
}
