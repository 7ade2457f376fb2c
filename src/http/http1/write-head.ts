/**
 * Lines of a head, one behind the other; the owner of `target` sees to it that there is room. A line of text is checked
 * where the text comes from.
 */
import { COLON, CR, LF, SPACE } from "../byte-classes.ts";
import type { FieldRanges } from "../field-ranges.ts";
import { copyRange, writeByte } from "./write-bytes.ts";

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
  const { target } = to;
  const place = 4 * index;
  const name = { bytes, start: ranges[place] ?? 0, end: ranges[place + 1] ?? 0 };
  const value = { bytes, start: ranges[place + 2] ?? 0, end: ranges[place + 3] ?? 0 };
  const at = writeSeparator(target, copyRange(name, target, to.at));
  return writeLineEnd(target, copyRange(value, target, at));
}

/** The blank line behind the last field is one, too. @returns the offset behind it */
export function writeLineEnd(target: Buffer, at: number): number {
  return writeByte(target, writeByte(target, at, CR), LF);
}

function writeSeparator(target: Buffer, at: number): number {
  return writeByte(target, writeByte(target, at, COLON), SPACE);
}
