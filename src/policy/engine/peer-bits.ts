/** One bit for each place of an index that peers share: set where the peer's identity is one that is meant there. */

export type PeerBits = Int32Array;

export const NO_BITS: PeerBits = new Int32Array(0);

export const WORD_BITS = 32;

export function newBits(count: number): PeerBits {
  return new Int32Array(Math.ceil(count / WORD_BITS));
}

export function setBit(bits: PeerBits, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
}

/** @returns the lowest of the bits from `start` to before `end` that is set; -1 when none is */
export function nextBit(bits: PeerBits, start: number, end: number): number {
  if (start >= end) return -1;
  let index = start >>> 5;
  let word = (bits[index] ?? 0) & (-1 << (start & 31));
  const last = (end - 1) >>> 5;
  while (word === 0) {
    if (index === last) return -1;
    index += 1;
    word = bits[index] ?? 0;
  }
  const bit = index * WORD_BITS + 31 - Math.clz32(word & -word);
  return bit < end ? bit : -1;
}
