/** How much of a costly thing a peer may do: some at once, some a second, and more in return for useful work. */

export interface BudgetLimits {
  readonly burst: number;
  readonly perSecond: number;
}

export class AbuseBudget {
  readonly #limits: BudgetLimits;
  readonly #now: () => number;
  #left: number;
  #since: number;

  /** @param now milliseconds; a coarse clock will do */
  constructor(limits: BudgetLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#left = limits.burst;
    this.#since = now();
  }

  earn(amount: number): void {
    this.#left = Math.min(this.#limits.burst, this.#left + amount);
  }

  /** @returns whether there was as much left; the clock is only looked at when there was not */
  spend(amount: number): boolean {
    this.#left -= amount;
    if (this.#left >= 0) return true;
    const now = this.#now();
    this.#left += Math.max(0, ((now - this.#since) * this.#limits.perSecond) / 1_000);
    this.#since = now;
    this.earn(0);
    return this.#left >= 0;
  }
}
