/**
 * One rate, shared by whoever asks, so that nobody's share is taken by another, and what somebody leaves is shared by the
 * others alike (max-min fair).
 *
 * What a sharer has taken is a debt, and the rate pays all debts, each alike. A clock of its own, `#paid`, tells what has
 * been paid to everybody who was in debt throughout: it runs faster the fewer they are. A sharer's debt is then one number,
 * the reading at which it will be paid. Time is monotonic, in milliseconds, and passed in.
 */

import { LeastFirst } from "./least-first.ts";
import type { Pace } from "./pace.ts";

/** Sharers in debt at one time; those beyond share one debt. */
export const MOST_SHARERS = 1_024;

/** A sharer may owe as much as this many times what is left: so there is always something left for one who comes. */
const SHARE_OF_REST = 2;
/** In units of what is counted. */
const TOLERANCE = 1e-9;
const MOST_PAID = 2 ** 20;
const EVERYBODY_ELSE = "\n";

export class FairShare {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #mostSharers: number;
  readonly #debtors = new LeastFirst();
  #paid = 0;
  /** Of all together. */
  #owed = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor({ amount, perMs, burst }: Pace, mostSharers: number = MOST_SHARERS) {
    this.#perMs = amount / perMs;
    this.#burst = burst;
    this.#mostSharers = mostSharers;
  }

  /** Those in debt. */
  get size(): number {
    return this.#debtors.size;
  }

  /**
   * Who owes nothing may always take one: with n sharers, n more than the burst may be let through at once, and never more
   * than the rate over time.
   *
   * @returns milliseconds until one more may be taken, if nobody else asks; 0 when it may now
   */
  wait(sharer: string, now: number): number {
    this.#pay(now);
    const over = this.#debtOf(sharer) + 1 - this.#mayOwe();
    if (over <= TOLERANCE) return 0;
    return (over * Math.max(1, this.#debtors.size)) / this.#perMs;
  }

  /** After `wait` was asked. */
  take(sharer: string): void {
    const name = this.#nameOf(sharer);
    this.#debtors.set(name, this.#paid + this.#debtOf(sharer) + 1);
    this.#owed++;
  }

  giveBack(sharer: string): void {
    const name = this.#nameOf(sharer);
    const dueAt = this.#debtors.get(name);
    if (dueAt === undefined) return;
    const debt = Math.max(0, dueAt - this.#paid);
    const back = Math.min(1, debt);
    this.#debtors.set(name, this.#paid + debt - back);
    this.#owed -= back;
  }

  /** How many the sharer could take now. */
  left(sharer: string, now: number): number {
    this.#pay(now);
    return Math.max(0, Math.floor(this.#mayOwe() - this.#debtOf(sharer) + TOLERANCE));
  }

  /** @returns milliseconds until the sharer owes nothing, if nobody else asks */
  fullIn(sharer: string, now: number): number {
    this.#pay(now);
    return (this.#debtOf(sharer) * Math.max(1, this.#debtors.size)) / this.#perMs;
  }

  #mayOwe(): number {
    return Math.max(1, (this.#burst - this.#owed) * SHARE_OF_REST);
  }

  #debtOf(sharer: string): number {
    return Math.max(0, (this.#debtors.get(this.#nameOf(sharer)) ?? 0) - this.#paid);
  }

  /** Whoever has paid is forgotten. */
  #pay(now: number): void {
    let amount = Math.max(0, now - this.#lastAt) * this.#perMs;
    this.#lastAt = Math.max(this.#lastAt, now);
    const debtors = this.#debtors;
    while (debtors.size > 0) {
      const untilFirst = Math.max(0, debtors.least - this.#paid) * debtors.size;
      if (untilFirst > amount) {
        this.#paid += amount / debtors.size;
        this.#owed -= amount;
        this.#rewind();
        return;
      }
      this.#paid = Math.max(this.#paid, debtors.least);
      this.#owed -= untilFirst;
      amount -= untilFirst;
      debtors.removeLeast();
    }
    this.#paid = 0;
    this.#owed = 0;
  }

  /** Large numbers have no room for small parts. */
  #rewind(): void {
    if (this.#paid < MOST_PAID) return;
    this.#debtors.lessen(this.#paid);
    this.#paid = 0;
  }

  #nameOf(sharer: string): string {
    if (this.#debtors.size < this.#mostSharers) return sharer;
    return this.#debtors.get(sharer) === undefined ? EVERYBODY_ELSE : sharer;
  }
}
