/** Bytes that wait for their turn, in memory that is only there while some do. */

const NOTHING = Buffer.alloc(0);

export class HeldBytes {
  #bytes: Buffer = NOTHING;
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  append(bytes: Buffer, from: number, to: number): void {
    const length = this.length + to - from;
    if (this.#to + to - from > this.#bytes.length) this.#move(length);
    bytes.copy(this.#bytes, this.#to, from, to);
    this.#to += to - from;
  }

  /** What waits, to be looked at until `keep`. */
  lend(): { readonly bytes: Buffer; readonly from: number; readonly to: number } {
    return { bytes: this.#bytes, from: this.#from, to: this.#to };
  }

  /** Of bytes that were lent, here or elsewhere, these still have to wait. */
  keep(bytes: Buffer, from: number, to: number): void {
    if (bytes === this.#bytes) this.#from = from;
    else if (from < to) this.append(bytes, from, to);
    if (this.#from === this.#to) this.clear();
  }

  /** All that waits, as the caller's own. */
  take(): Buffer {
    const taken = this.#bytes.subarray(this.#from, this.#to);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#bytes = NOTHING;
    this.#from = this.#to = 0;
  }

  #move(length: number): void {
    const larger = Buffer.allocUnsafeSlow(2 * length);
    this.#bytes.copy(larger, 0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    this.#bytes = larger;
  }
}
