/** One bit for each candidate of an index that peers share: set where the peer's identity is one that it means. */

export type PeerBits = Uint32Array;

export const NO_BITS: PeerBits = new Uint32Array(0);

const WORD_BITS = 32;

export function newBits(count: number): PeerBits {
  return new Uint32Array(Math.ceil(count / WORD_BITS));
}

export function setBit(bits: PeerBits, bit: number): void {
  bits[bit >>> 5] = (bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
}

/** Stands for no bit: nothing has to be set. */
export const EVERY_PEER = -1;

/** @param bit EVERY_PEER is always there; what lies beyond the end never */
export function hasBit(bits: PeerBits, bit: number): boolean {
  return bit === EVERY_PEER || ((bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
}

/** The bits that are set, in order. */
export function* setBits(bits: PeerBits): Generator<number> {
  for (const [index, word] of bits.entries()) {
    for (let left = word; left !== 0; left &= left - 1) {
      yield index * WORD_BITS + 31 - Math.clz32(left & -left);
    }
  }
}
