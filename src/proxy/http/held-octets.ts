/**
 * What the receiver of a body has not taken yet. Pieces are put together: a sender that cuts its body into single octets
 * would otherwise make us hold a hundred times as much as it sends.
 */
import type { Holder, HoldingLimit } from "./holding-limit.ts";

/** Octets from `from` to before `to`. */
interface Piece {
  readonly bytes: Buffer;
  from: number;
  to: number;
}

/** Octets of memory for one piece: it grows with what is held. */
const LEAST = 256;
const MOST = 16_384;

export class HeldOctets {
  readonly #holder: Holder;
  readonly #limit: HoldingLimit;
  readonly #pieces: Piece[] = [];
  #memory = 0;

  /** @param holder hears when all that is held in the process is too much */
  constructor(holder: Holder, limit: HoldingLimit) {
    this.#holder = holder;
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** The piece that came first. */
  get first(): Readonly<Piece> | undefined {
    return this.#pieces[0];
  }

  get isOnePiece(): boolean {
    return this.#pieces.length === 1;
  }

  /** Octets of memory. */
  get memory(): number {
    return this.#memory;
  }

  /** Copies them. */
  append(source: Buffer, from: number, to: number): void {
    const last = this.#pieces.at(-1);
    const fits = last === undefined ? 0 : Math.min(to - from, last.bytes.length - last.to);
    if (last !== undefined) {
      source.copy(last.bytes, last.to, from, from + fits);
      last.to += fits;
    }
    const rest = to - from - fits;
    if (rest === 0) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(rest, LEAST, Math.min(this.#memory, MOST)));
    source.copy(bytes, 0, from + fits, to);
    this.#pieces.push({ bytes, from: 0, to: rest });
    this.#memory += bytes.length;
    this.#limit.grow(this.#holder, bytes.length);
  }

  /**
   * Octets of the first piece were taken.
   *
   * @returns whether the piece is gone
   */
  drop(octets: number): boolean {
    const first = this.#pieces[0];
    if (first === undefined) return true;
    first.from += octets;
    const isGone = first.from === first.to;
    if (isGone) this.#pieces.shift();
    if (octets > 0) this.#shrink(isGone ? first.bytes.length : 0);
    return isGone;
  }

  /** All that is held, where it lies. */
  views(): readonly Buffer[] {
    return this.#pieces.map(({ bytes, from, to }) => bytes.subarray(from, to));
  }

  clear(): void {
    if (this.isEmpty) return;
    this.#pieces.length = 0;
    this.#shrink(this.#memory);
  }

  #shrink(by: number): void {
    this.#memory -= by;
    this.#limit.shrink(this.#holder, by, this.isEmpty ? "holds none" : "holds more");
  }
}
