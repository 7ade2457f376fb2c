/**
 * What the receiver of a body has not taken yet. Pieces are put together: a sender that cuts its body into single octets
 * would otherwise make us hold a hundred times as much as it sends.
 */
import { Batch, sizeFor } from "../../http/http2/output-batches.ts";
import type { Holder, HoldingLimit } from "./holding-limit.ts";

/** Octets from `from` to before `to`. */
interface Piece {
  readonly bytes: Buffer;
  from: number;
  to: number;
  /** Whose bytes they are; absent: its own. */
  readonly batch: Batch | undefined;
}

/** Of pieces: "lent" ones come from the pool of outgoing batches, and are another's as soon as they are dropped. */
export type PieceMemory = "lent" | "own";

/** Octets of memory for one piece: it grows with what is held. */
const LEAST = 256;
const MOST = 16_384;
/** Of memory that is lent: less is not worth a batch. */
const LEAST_LENT = 1_024;

export class HeldOctets {
  readonly #holder: Holder;
  readonly #limit: HoldingLimit;
  readonly #memoryOf: PieceMemory;
  readonly #pieces: Piece[] = [];
  #memory = 0;

  /**
   * @param holder hears when all that is held in the process is too much
   * @param memoryOf "own" where somebody still looks at pieces, or at views of them, that were dropped
   */
  constructor(holder: Holder, limit: HoldingLimit, memoryOf: PieceMemory) {
    this.#holder = holder;
    this.#limit = limit;
    this.#memoryOf = memoryOf;
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
    let last = this.#pieces.at(-1);
    for (let at = from; at < to; ) {
      if (last === undefined || last.to === last.bytes.length) last = this.#addPiece(to - at);
      const end = Math.min(to, at + last.bytes.length - last.to);
      source.copy(last.bytes, last.to, at, end);
      last.to += end - at;
      at = end;
    }
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
    if (isGone) this.#pieces.shift()?.batch?.release();
    if (octets > 0) this.#shrink(isGone ? first.bytes.length : 0);
    return isGone;
  }

  /** All that is held, where it lies. */
  views(): readonly Buffer[] {
    return this.#pieces.map(({ bytes, from, to }) => bytes.subarray(from, to));
  }

  clear(): void {
    if (this.isEmpty) return;
    for (const { batch } of this.#pieces) batch?.release();
    this.#pieces.length = 0;
    this.#shrink(this.#memory);
  }

  /** @param rest octets that it should have room for, if one piece can */
  #addPiece(rest: number): Piece {
    const wanted = Math.min(Math.max(rest, LEAST, this.#memory), MOST);
    const isLent = this.#memoryOf === "lent" && wanted >= LEAST_LENT;
    const batch = isLent ? Batch.borrow(sizeFor(wanted)) : undefined;
    const bytes = batch?.bytes ?? Buffer.allocUnsafeSlow(wanted);
    const piece = { bytes, from: 0, to: 0, batch };
    this.#pieces.push(piece);
    this.#memory += bytes.length;
    this.#limit.grow(this.#holder, bytes.length);
    return piece;
  }

  #shrink(by: number): void {
    this.#memory -= by;
    this.#limit.shrink(this.#holder, by, this.isEmpty ? "holds none" : "holds more");
  }
}
