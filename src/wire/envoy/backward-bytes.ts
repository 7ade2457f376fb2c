/**
 * Bytes written from their end to their beginning: in protobuf a length stands before what it is of, and this way it is known by
 * then. Nothing is copied twice.
 * Source: https://protobuf.dev/programming-guides/encoding
 */

const FIRST_BYTES = 64 * 1024;
const LAST_ASCII = 0x7f;

export class BackwardBytes {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  /** Where what is written begins. */
  #start: number = FIRST_BYTES;

  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** Forgets what stands before the last `length` bytes. */
  backTo(length: number): void {
    this.#start = this.#bytes.length - length;
  }

  /** @param value an integer from 0 below 2 ** 53 */
  varint(value: number): void {
    const size = sizeOfVarint(value);
    this.#reserve(size);
    this.#start -= size;
    let rest = value;
    let at = this.#start;
    while (rest > 0x7f) {
      this.#bytes[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
      at++;
    }
    this.#bytes[at] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#start -= bytes.length;
    this.#bytes.set(bytes, this.#start);
  }

  /** What stands already between two places, given in bytes from the end. */
  again(end: number, begin: number): void {
    const size = begin - end;
    this.#reserve(size);
    this.#start -= size;
    const { length } = this.#bytes;
    this.#bytes.copyWithin(this.#start, length - begin, length - end);
  }

  /** @returns false for a text with other characters than those of ASCII: then nothing is written */
  ascii(text: string): boolean {
    const { length } = text;
    this.#reserve(length);
    const start = this.#start - length;
    const bytes = this.#bytes;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > LAST_ASCII) return false;
      bytes[start + index] = code;
    }
    this.#start = start;
    return true;
  }

  /** A copy of all that is written. */
  taken(): Uint8Array {
    return this.#bytes.slice(this.#start);
  }

  #reserve(size: number): void {
    if (this.#start >= size) return;
    const written = this.#bytes.subarray(this.#start);
    const larger = new Uint8Array(2 * (written.length + size));
    larger.set(written, larger.length - written.length);
    this.#start = larger.length - written.length;
    this.#bytes = larger;
  }
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}
