/** Copying in small: most ranges of a head are shorter than what a native call costs. */

/** Beyond this many bytes a native copy is cheaper than a loop. */
const LOOP_BYTES = 64;

const ZERO = 48;

export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** @returns the offset in `target` behind the copy */
export function copy(bytes: Uint8Array, target: Uint8Array, at: number): number {
  const { length } = bytes;
  if (length > LOOP_BYTES) target.set(bytes, at);
  else for (let index = 0; index < length; index++) target[at + index] = bytes[index] ?? 0;
  return at + length;
}

/** @returns the offset in `target` behind the copy */
export function copyRange(
  { bytes, start, end }: ByteRange,
  target: Uint8Array,
  at: number,
): number {
  const length = end - start;
  // Half of what `subarray` of a Buffer costs.
  if (length > LOOP_BYTES) {
    target.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), at);
  } else
    for (let index = 0; index < length; index++) target[at + index] = bytes[start + index] ?? 0;
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

/** As `writeText`. @throws RangeError as `checkText` does; what was written before is nobody's */
export function writeChecked(
  target: Uint8Array,
  at: number,
  { text, allowed }: { readonly text: string; readonly allowed: Uint8Array },
): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (allowed[code] !== 1) throw notAllowed(code);
    target[at + index] = code;
  }
  return at + text.length;
}

/** In decimal. @param value a whole number, at least 0 */
export function writeNumber(target: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
  let rest = value;
  for (let index = end - 1; index >= at; index--) {
    target[index] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

/** @throws RangeError at a character that is no byte of the class */
export function checkText(text: string, allowed: Uint8Array): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (allowed[code] !== 1) throw notAllowed(code);
  }
}

function notAllowed(code: number): RangeError {
  return new RangeError(`character ${code} may not be written`);
}
