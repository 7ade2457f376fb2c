/**
 * Reads messages of protobuf, one field after the other. What comes is another program's: every length is checked, and
 * what is not known is passed over.
 */

/** Bytes that are no message, or not the one that was expected. */
export class MalformedMessageError extends RangeError {}

/** One field of a message. */
export interface MessageField {
  readonly number: number;
  /** Of a field with a length; empty for others. */
  readonly bytes: Buffer;
  /** Of an integer; 0 for others. Exact below 2^53. */
  readonly integer: number;
  /** Of a double; 0 for others. */
  readonly double: number;
}

const NOTHING = Buffer.alloc(0);
const MOST_VARINT_OCTETS = 10;

/** @throws MalformedMessageError where the bytes are no message; before that, fields may have been given */
export function* messageFields(message: Buffer): Generator<MessageField, void, undefined> {
  const reader = new FieldReader(message);
  for (let field = reader.next(); field !== undefined; field = reader.next()) yield field;
}

/** @returns the text of a field, UTF-8 */
export function textOf({ bytes }: MessageField): string {
  return bytes.toString("utf8");
}

/** @returns the text of a field, each character one octet */
export function octetsOf({ bytes }: MessageField): string {
  return bytes.toString("latin1");
}

class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): MessageField | undefined {
    if (this.#at === this.#bytes.length) return undefined;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new MalformedMessageError("field 0");
    const field = { number, bytes: NOTHING, integer: 0, double: 0 };
    switch (tag % 8) {
      case 0:
        return { ...field, integer: this.#varint() };
      case 1:
        return { ...field, double: this.#take(8).readDoubleLE(0) };
      case 2:
        return { ...field, bytes: this.#take(this.#varint()) };
      case 5:
        this.#take(4);
        return field;
      default:
        throw new MalformedMessageError("a kind of field that is not known");
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedMessageError("it ends within a field");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < MOST_VARINT_OCTETS; count++) {
      const octet = this.#bytes[this.#at++];
      if (octet === undefined) throw new MalformedMessageError("it ends within a number");
      value += (octet & 127) * factor;
      if (octet < 128) return value;
      factor *= 128;
    }
    throw new MalformedMessageError("a number without end");
  }
}
