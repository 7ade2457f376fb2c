/**
 * Writes the few field types that spans have in protobuf's wire format. Generated messages would be objects first, three
 * for each attribute; this writes bytes at once.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
const FIRST_BYTES = 2_048;
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
/** Of a 32-bit number. */
const MAX_VARINT_BYTES = 5;

export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  /** Of one message. */
  begin(): void {
    this.#length = 0;
  }

  /** @returns a copy */
  end(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** @param value whole, from 0 and below 2^31 */
  integer(field: number, value: number): void {
    this.#reserve(2 * MAX_VARINT_BYTES);
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  fixed64(field: number, value: bigint): void {
    this.#reserve(MAX_VARINT_BYTES + 8);
    this.#varint((field << 3) | FIXED64);
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length);
  }

  /** Nothing for "", as protobuf wants it. */
  text(field: number, value: string): void {
    if (value !== "") this.#text(field, value, Buffer.byteLength(value));
  }

  bytes(field: number, value: Buffer): void {
    this.#header(field, value.length);
    this.#length += value.copy(this.#bytes, this.#length);
  }

  /** @param digits an even number, hexadecimal */
  hex(field: number, digits: string): void {
    this.#header(field, digits.length / 2);
    this.#length += this.#bytes.write(digits, this.#length, "hex");
  }

  /** A `KeyValue` whose value is an `AnyValue` with a text, be it "". */
  attribute(field: number, { key, value }: { readonly key: string; readonly value: string }): void {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    const anyBytes = delimitedBytes(valueBytes);
    this.#header(field, delimitedBytes(keyBytes) + delimitedBytes(anyBytes));
    this.#text(1, key, keyBytes);
    this.#header(2, anyBytes);
    this.#text(1, value, valueBytes);
  }

  #text(field: number, value: string, bytes: number): void {
    this.#header(field, bytes);
    this.#length += this.#bytes.write(value, this.#length, "utf8");
  }

  /** Of a field with a length, for which it makes room. */
  #header(field: number, bytes: number): void {
    this.#reserve(2 * MAX_VARINT_BYTES + bytes);
    this.#varint((field << 3) | LENGTH);
    this.#varint(bytes);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, needed));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Of a field below 16 with so many bytes. */
function delimitedBytes(bytes: number): number {
  let size = 2 + bytes;
  for (let rest = bytes >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}
