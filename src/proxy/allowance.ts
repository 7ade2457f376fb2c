/** So many a second, and no more: for work that strangers can cause. */
import type { Clock } from "../runtime/clock.ts";

const SECOND_MS = 1_000;

export class Allowance {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #since = Number.NEGATIVE_INFINITY;
  #taken = 0;

  constructor({ perSecond, clock }: { readonly perSecond: number; readonly clock: Clock }) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  take(): "granted" | "spent" {
    const now = this.#clock.now().getTime();
    if (now < this.#since || now - this.#since >= SECOND_MS) {
      this.#since = now;
      this.#taken = 0;
    }
    return this.#taken++ < this.#perSecond ? "granted" : "spent";
  }
}
