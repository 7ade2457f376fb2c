/**
 * Buckets of a rate limit, by key: each is one number, the time at which it will be full again if nothing more is taken
 * (the "theoretical arrival time" of the generic cell rate algorithm). Time is monotonic, in milliseconds, and passed in.
 */
import type { Pace } from "./pace.ts";
import { RememberedDebts } from "./remembered-debts.ts";

/** Of one limit: beyond that many keys, of the bucket that was not used for longest only what it owes is remembered. */
const MOST_BUCKETS = 10_000;

const FIRST_CAPACITY = 16;
/** Milliseconds that sums of fractions may be wrong by. */
const TOLERANCE = 1e-6;

export class PacedBuckets {
  readonly #mostBuckets: number;
  /** Milliseconds in which one more is let through. */
  readonly #interval: number;
  /** How far ahead of now a bucket may be, once more was taken. */
  readonly #depth: number;
  readonly #slots = new Map<string, number>();
  #keys: string[] = [];
  #fullAt = new Float64Array(FIRST_CAPACITY);
  /** Whether it was asked for since the hand went by: whoever was gets a second chance. */
  #used = new Uint8Array(FIRST_CAPACITY);
  #hand = 0;
  #forgotten = 0;
  /** Absent: none had to go that owed anything. */
  #debts: RememberedDebts | undefined;

  constructor({ amount, perMs, burst }: Pace, mostBuckets: number = MOST_BUCKETS) {
    this.#mostBuckets = mostBuckets;
    this.#interval = perMs / amount;
    this.#depth = this.#interval * burst;
  }

  /** Buckets that had to go before they were full again. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** @returns the bucket of a key, for the other methods, until `find` is called for another one */
  find(key: string, now: number): number {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      this.#used[known] = 1;
      return known;
    }
    const slot = this.#keys.length < this.#mostBuckets ? this.#keys.length : this.#freed(now);
    this.#grow(slot);
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#fullAt[slot] = this.#debts?.fullAt(key) ?? 0;
    this.#used[slot] = 0;
    return slot;
  }

  /** @returns milliseconds until one more may be taken; 0 when it may now */
  wait(slot: number, now: number): number {
    const wait = this.#behind(slot, now) + this.#interval - this.#depth;
    return wait > TOLERANCE ? wait : 0;
  }

  take(slot: number, now: number): void {
    this.#fullAt[slot] = now + this.#behind(slot, now) + this.#interval;
  }

  /** Of one that was taken for nothing. */
  giveBack(key: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#fullAt[slot] = (this.#fullAt[slot] ?? 0) - this.#interval;
  }

  /** How many could be taken now. */
  left(slot: number, now: number): number {
    const room = (this.#depth - this.#behind(slot, now) + TOLERANCE) / this.#interval;
    return Math.max(0, Math.floor(room));
  }

  /** @returns milliseconds until it is full, if nothing is taken */
  fullIn(slot: number, now: number): number {
    return this.#behind(slot, now);
  }

  #behind(slot: number, now: number): number {
    const behind = (this.#fullAt[slot] ?? 0) - now;
    return behind > 0 ? behind : 0;
  }

  /** One that is full, or else one that was not asked for since the hand went by. */
  #freed(now: number): number {
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#mostBuckets;
      const isFull = this.#behind(slot, now) === 0;
      if (!isFull && this.#used[slot] === 1) {
        this.#used[slot] = 0;
        continue;
      }
      const key = this.#keys[slot] ?? "";
      if (!isFull) this.#giveWay(key, slot);
      this.#slots.delete(key);
      return slot;
    }
  }

  #giveWay(key: string, slot: number): void {
    this.#forgotten++;
    this.#debts ??= new RememberedDebts();
    this.#debts.remember(key, this.#fullAt[slot] ?? 0);
  }

  #grow(slot: number): void {
    if (slot < this.#fullAt.length) return;
    const capacity = Math.min(this.#mostBuckets, this.#fullAt.length * 2);
    const [fullAt, used] = [new Float64Array(capacity), new Uint8Array(capacity)];
    fullAt.set(this.#fullAt);
    used.set(this.#used);
    this.#fullAt = fullAt;
    this.#used = used;
  }
}
