/**
 * Writes messages of protobuf from their end to their beginning: so the length of what is nested is known when it is
 * written, and nothing is written twice. Whoever wants fields in order says the last one first.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
import { isUtf8 } from "node:buffer";

const FIRST_BYTES = 4_096;
/** Larger memory is not kept for the next message, and grows by no more than this beyond what is asked for. */
const LARGEST_KEPT = 65_536;
/** Of a tag or a length. */
const MOST_VARINT = 8;
const VARINT = 0;
const LENGTH = 2;
/** In place of each octet that is not ASCII, where a text is not UTF-8; as Envoy. */
const EXCLAMATION = 33;

export class MessageWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Where what is written begins. */
  #at: number = FIRST_BYTES;

  /** Whatever was left of a message that did not come to its end is thrown away. */
  begin(): void {
    this.#at = this.#bytes.length;
  }

  /** Octets that are written. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** So many octets are still to be written: there is room for them at once. */
  expect(octets: number): void {
    this.#reserve(octets);
  }

  /**
   * @param free octets in front of the message, for others to fill
   * @returns what was written, a copy where it is short; the next message begins
   */
  take(free = 0): Buffer {
    this.#reserve(free);
    const message = this.#bytes.subarray(this.#at - free);
    const isKept = this.#bytes.length <= LARGEST_KEPT;
    if (!isKept) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = this.#bytes.length;
    return isKept ? Buffer.from(message) : message;
  }

  /** Whatever was written since there were `before` octets is one field. */
  nest(field: number, before: number): void {
    this.#reserve(2 * MOST_VARINT);
    this.#varint(this.length - before);
    this.#varint(field * 8 + LENGTH);
  }

  /** Nothing for 0. @param value whole, not negative */
  integer(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(2 * MOST_VARINT);
    this.#varint(value);
    this.#varint(field * 8 + VARINT);
  }

  /** Nothing for "". @param text each character is one octet */
  text(field: number, text: string): void {
    if (text === "") return;
    const before = this.length;
    this.characters(text);
    this.nest(field, before);
  }

  bytes(field: number, bytes: Buffer): void {
    const before = this.length;
    this.octets(bytes, 0, bytes.length);
    this.nest(field, before);
  }

  /** A part of a field. @param text each character is one octet */
  characters(text: string): void {
    this.#reserve(text.length);
    this.#at -= text.length;
    this.#bytes.write(text, this.#at, "latin1");
    this.#sanitize(this.#at, this.#at + text.length);
  }

  /** A part of a field: a text of somebody else's. */
  octetsOfText(source: Buffer, from: number, to: number): void {
    this.octets(source, from, to);
    this.#sanitize(this.#at, this.#at + to - from);
  }

  octets(source: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    this.#at -= to - from;
    source.copy(this.#bytes, this.#at, from, to);
  }

  /** The last octets that were written are a text of somebody else's. */
  sanitize(octets: number): void {
    this.#sanitize(this.#at, this.#at + octets);
  }

  /** What is no UTF-8 would make the receiver refuse the message. */
  #sanitize(from: number, to: number): void {
    const bytes = this.#bytes;
    let at = from;
    while (at < to && (bytes[at] ?? 0) < 128) at++;
    if (at === to || isUtf8(bytes.subarray(from, to))) return;
    for (; at < to; at++) if ((bytes[at] ?? 0) >= 128) bytes[at] = EXCLAMATION;
  }

  #varint(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
    this.#at -= size;
    let rest = value;
    for (let index = 0; index < size - 1; index++) {
      this.#bytes[this.#at + index] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at + size - 1] = rest;
  }

  #reserve(octets: number): void {
    if (this.#at >= octets) return;
    const { length } = this;
    const more = Math.min(this.#bytes.length, LARGEST_KEPT);
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length + more, length + octets));
    this.#bytes.copy(larger, larger.length - length, this.#at);
    this.#bytes = larger;
    this.#at = larger.length - length;
  }
}
