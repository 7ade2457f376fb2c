/**
 * Bytes on their way out, gathered so that the owner writes once a turn of the event loop. Batches come from one pool
 * for all connections: a connection with nothing to say holds none.
 */
import { copyRange } from "../http1/write-bytes.ts";
import { FRAME_HEADER } from "./frame.ts";

const BATCH_SIZE = 65_536;
/** Octets that a batch takes: "tiny" for who has a head to say, as a thousand connections may in one turn. */
const SIZES: Readonly<Record<"tiny" | "small" | "large", number>> = {
  tiny: 2_048,
  small: 16_384,
  large: BATCH_SIZE,
};
/** Octets in idle ones of one size that are kept; more come and go with the load. */
const KEPT_OCTETS = 4_194_304;

export type BatchSize = keyof typeof SIZES;

/** The smallest that takes so many octets at once, or the largest there is. */
export function sizeFor(octets: number): BatchSize {
  if (octets <= SIZES.tiny) return "tiny";
  return octets <= SIZES.small ? "small" : "large";
}

/** Part of what a connection says. Its bytes stay as they are until it is released. */
export class Batch {
  readonly size: BatchSize;
  readonly bytes: Buffer;
  length = 0;
  /** To be called once the bytes are written, or never will be; made once, so it may be handed on as a callback. */
  readonly release = (): void => {
    if (this.#isFree) return;
    this.#isFree = true;
    const pool = POOLS[this.size];
    if (pool.length * this.bytes.length < KEPT_OCTETS) pool.push(this);
  };
  #isFree = false;

  private constructor(size: BatchSize) {
    this.size = size;
    this.bytes = Buffer.allocUnsafeSlow(SIZES[size]);
  }

  /** What is to be written. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  static borrow(size: BatchSize = "large"): Batch {
    const batch = POOLS[size].pop() ?? new Batch(size);
    batch.#isFree = false;
    batch.length = 0;
    return batch;
  }
}

const POOLS: Readonly<Record<BatchSize, Batch[]>> = { tiny: [], small: [], large: [] };

export class OutputBatches {
  readonly #full: Batch[] = [];
  #current: Batch | undefined;
  /** Octets that wait to be taken. */
  pending = 0;

  /** @returns the next batch to write, whose owner the caller becomes; undefined when there is nothing left */
  take(): Batch | undefined {
    const batch = this.#full.shift() ?? this.#current;
    if (batch === undefined) return undefined;
    if (batch === this.#current) this.#current = undefined;
    this.pending -= batch.length;
    return batch;
  }

  /** Gives back everything unwritten. */
  clear(): void {
    for (let batch = this.take(); batch !== undefined; batch = this.take()) batch.release();
  }

  /** A frame's nine octets; its payload must follow. */
  frameHeader(type: number, flags: number, { length, id }: FrameSize): void {
    const { bytes, length: at } = this.#room(FRAME_HEADER);
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    writeUint32(bytes, at + 5, id);
    this.#advance(FRAME_HEADER);
  }

  uint32(value: number): void {
    const { bytes, length } = this.#room(4);
    writeUint32(bytes, length, value);
    this.#advance(4);
  }

  uint16(value: number): void {
    const { bytes, length } = this.#room(2);
    bytes[length] = value >>> 8;
    bytes[length + 1] = value;
    this.#advance(2);
  }

  append(source: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const batch = this.#room(1);
      const length = Math.min(to - at, BATCH_SIZE - batch.length);
      copyRange({ bytes: source, start: at, end: at + length }, batch.bytes, batch.length);
      this.#advance(length);
      at += length;
    }
  }

  #room(length: number): Batch {
    const current = this.#current;
    if (current !== undefined && current.length + length <= BATCH_SIZE) return current;
    if (current !== undefined) this.#full.push(current);
    this.#current = Batch.borrow();
    return this.#current;
  }

  #advance(length: number): void {
    if (this.#current !== undefined) this.#current.length += length;
    this.pending += length;
  }
}

/** A frame's length and stream; `id` 0 is the connection. */
export interface FrameSize {
  readonly length: number;
  readonly id: number;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
