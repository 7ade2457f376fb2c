/** Copying in small: most ranges of a head are shorter than what a native call costs. */

/** Beyond this many bytes a native copy is cheaper than a loop. */
const LOOP_BYTES = 96;

export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** @returns the offset in `target` behind the copy */
export function copy(bytes: Uint8Array, target: Uint8Array, at: number): number {
  target.set(bytes, at);
  return at + bytes.length;
}

/** @returns the offset in `target` behind the copy */
export function copyRange(
  { bytes, start, end }: ByteRange,
  target: Uint8Array,
  at: number,
): number {
  const length = end - start;
  if (length > LOOP_BYTES) target.set(bytes.subarray(start, end), at);
  else for (let index = 0; index < length; index++) target[at + index] = bytes[start + index] ?? 0;
  return at + length;
}

export function writeByte(target: Uint8Array, at: number, byte: number): number {
  target[at] = byte;
  return at + 1;
}

/** Each character as one byte. */
export function writeText(target: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** @throws RangeError at a character that is no byte of the class */
export function checkText(text: string, allowed: Uint8Array): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (allowed[code] !== 1) throw new RangeError(`character ${code} may not be written`);
  }
}
