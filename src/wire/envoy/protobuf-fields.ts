/**
 * Single fields of protobuf messages as bytes: what is needed to put messages together of parts that are encoded already.
 * Source: https://protobuf.dev/programming-guides/encoding
 */

/** Wire type of what has a length. */
const LENGTH_DELIMITED = 2;

/** @param number from 1 to 15 */
export function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  const length = varint(bytes.length);
  const field = new Uint8Array(1 + length.length + bytes.length);
  field[0] = (number << 3) | LENGTH_DELIMITED;
  field.set(length, 1);
  field.set(bytes, 1 + length.length);
  return field;
}

/** @param number from 1 to 15 */
export function textField(number: number, text: string): Uint8Array {
  return bytesField(number, Buffer.from(text, "utf8"));
}

export function join(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
