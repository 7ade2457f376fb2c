/**
 * xxHash64, by which Envoy places endpoints on its ring and calls between them: with the same one, our sidecars and
 * Envoy's send the same caller to the same endpoint.
 * Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
import { type Hash64, Word64 } from "./word64.ts";

const PRIME_1: Hash64 = new Word64(0x9e3779b1, 0x85ebca87);
const PRIME_2: Hash64 = new Word64(0xc2b2ae3d, 0x27d4eb4f);
const PRIME_3: Hash64 = new Word64(0x165667b1, 0x9e3779f9);
const PRIME_4: Hash64 = new Word64(0x85ebca77, 0xc2b2ae63);
const PRIME_5: Hash64 = new Word64(0x27d4eb2f, 0x165667c5);
const MINUS_PRIME_1: Hash64 = new Word64(~0x9e3779b1, -0x85ebca87);
const ZERO: Hash64 = new Word64();

const STRIPE = 32;
/** Texts up to here are hashed without a buffer of their own. */
const SCRATCH_BYTES = 4_096;

/** One hasher serves any number of hashes, one after the other, and allocates for none of them. */
export class XxHash64 {
  readonly #hash = new Word64();
  readonly #lanes: readonly Word64[] = [0, 1, 2, 3].map(() => new Word64());
  readonly #word = new Word64();
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  /**
   * @param text hashed as UTF-8
   * @param seed the hash before, where several texts make one
   * @returns a word that the next call changes
   */
  ofText(text: string, seed: Hash64 = ZERO): Hash64 {
    // A character is three bytes at most.
    if (text.length * 3 > SCRATCH_BYTES) return this.ofBytes(Buffer.from(text), seed);
    return this.#of(this.#scratch, this.#encode(text), seed);
  }

  /**
   * One hash of several texts, in any order, as Envoy's of a header that is there several times. Of one text it is that
   * text's.
   *
   * @returns undefined where there is none; otherwise a word that the next call changes
   */
  ofTexts(texts: readonly string[]): Hash64 | undefined {
    if (texts.length < 2) return texts[0] === undefined ? undefined : this.ofText(texts[0]);
    return texts.toSorted().reduce((hash, text) => this.ofText(text, hash), ZERO);
  }

  /** As `ofText`. */
  ofBytes(bytes: Buffer, seed: Hash64 = ZERO): Hash64 {
    return this.#of(bytes, bytes.length, seed);
  }

  /** Most texts are short and ASCII: a call out of JavaScript would take longer than the hash. @returns octets written */
  #encode(text: string): number {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return this.#scratch.write(text);
      this.#scratch[at] = code;
    }
    return text.length;
  }

  #of(bytes: Buffer, end: number, seed: Hash64): Hash64 {
    const hash = this.#hash;
    if (end < STRIPE) hash.set(seed).add(PRIME_5);
    else this.#takeStripes(bytes, end, seed);
    hash.add(this.#load(0, end));
    this.#takeRest(bytes, end - (end % STRIPE), end);
    hash.xorShifted(33).multiply(PRIME_2);
    hash.xorShifted(29).multiply(PRIME_3);
    return hash.xorShifted(32);
  }

  #takeStripes(bytes: Buffer, end: number, seed: Hash64): void {
    const hash = this.#hash;
    for (const lane of this.#lanes) lane.set(seed);
    this.#lanes[0]?.add(PRIME_1).add(PRIME_2);
    this.#lanes[1]?.add(PRIME_2);
    this.#lanes[3]?.add(MINUS_PRIME_1);
    let at = 0;
    while (at + STRIPE <= end) {
      for (const lane of this.#lanes) {
        round(lane, this.#loadFrom(bytes, at));
        at += 8;
      }
    }
    hash.set(ZERO);
    for (let index = 0; index < 4; index++) this.#addRotated(index);
    for (const lane of this.#lanes) {
      hash.xor(firstRound(this.#word.set(lane)));
      hash.multiply(PRIME_1).add(PRIME_4);
    }
  }

  #addRotated(index: number): void {
    const lane = this.#lanes[index];
    if (lane === undefined) return;
    this.#hash.add(this.#word.set(lane).rotateLeft(LANE_ROTATIONS[index] ?? 0));
  }

  #takeRest(bytes: Buffer, begin: number, end: number): void {
    const hash = this.#hash;
    let at = begin;
    for (; at + 8 <= end; at += 8) {
      hash.xor(firstRound(this.#loadFrom(bytes, at)));
      hash.rotateLeft(27).multiply(PRIME_1).add(PRIME_4);
    }
    if (at + 4 <= end) {
      hash.xor(this.#load(0, bytes.readInt32LE(at)).multiply(PRIME_1));
      hash.rotateLeft(23).multiply(PRIME_2).add(PRIME_3);
      at += 4;
    }
    for (; at < end; at++) {
      hash.xor(this.#load(0, bytes.readUInt8(at)).multiply(PRIME_5));
      hash.rotateLeft(11).multiply(PRIME_1);
    }
  }

  #loadFrom(bytes: Buffer, at: number): Word64 {
    return this.#load(bytes.readInt32LE(at + 4), bytes.readInt32LE(at));
  }

  #load(high: number, low: number): Word64 {
    this.#word.high = high;
    this.#word.low = low;
    return this.#word;
  }
}

const LANE_ROTATIONS = [1, 7, 12, 18] as const;

/** @param input is changed */
function round(lane: Word64, input: Word64): void {
  lane.add(input.multiply(PRIME_2)).rotateLeft(31).multiply(PRIME_1);
}

/** A round that begins with nothing, in place. */
function firstRound(input: Word64): Word64 {
  return input.multiply(PRIME_2).rotateLeft(31).multiply(PRIME_1);
}
