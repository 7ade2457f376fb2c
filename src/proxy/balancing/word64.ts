/** A word of 64 bits in two halves: JavaScript's own large integers need memory for every step. */

/** 64 bits, each half as a signed number of 32. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** A register: every step changes it in place. */
export class Word64 implements Hash64 {
  high: number;
  low: number;

  constructor(high = 0, low = 0) {
    this.high = high | 0;
    this.low = low | 0;
  }

  set({ high, low }: Hash64): this {
    this.high = high;
    this.low = low;
    return this;
  }

  add({ high, low }: Hash64): this {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.high = (this.high + high + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    this.low = sum | 0;
    return this;
  }

  xor({ high, low }: Hash64): this {
    this.high ^= high;
    this.low ^= low;
    return this;
  }

  /** In digits of 16 bits, so that no product is too large for a number. */
  multiply({ high, low }: Hash64): this {
    const upper = this.low >>> 16;
    const lower = this.low & 0xffff;
    const lowest = lower * (low & 0xffff);
    const middle = lower * (low >>> 16) + (lowest >>> 16);
    const other = upper * (low & 0xffff) + (middle & 0xffff);
    const carried = upper * (low >>> 16) + (middle >>> 16) + (other >>> 16);
    this.high = (carried + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0;
    this.low = (other << 16) | (lowest & 0xffff);
    return this;
  }

  /** @param bits from 1 to 31 */
  rotateLeft(bits: number): this {
    const { high, low } = this;
    this.high = (high << bits) | (low >>> (32 - bits));
    this.low = (low << bits) | (high >>> (32 - bits));
    return this;
  }

  /** Xor with itself, shifted right. @param bits from 1 to 63 */
  xorShifted(bits: number): this {
    const { high, low } = this;
    if (bits >= 32) this.low = low ^ (bits === 32 ? high : high >>> (bits - 32));
    else {
      this.high = high ^ (high >>> bits);
      this.low = low ^ ((low >>> bits) | (high << (32 - bits)));
    }
    return this;
  }
}
