/** Counts in this process: exact, free, and begun anew when it is started again. */
import { type Count, type Counter, type Counters, LOOK } from "./counters.ts";
import { LimitRooms } from "./limit-rooms.ts";
import { freshShares, type TakenTokens, type TokenShares, takeTokens } from "./token-shares.ts";

export class MemoryCounters implements Counters {
  readonly #limits: LimitRooms<TokenShares> = new LimitRooms();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async take(count: Count): Promise<TakenTokens> {
    const now = this.#now();
    const fresh = (): TokenShares => freshShares(now, count.burst);
    return takeTokens(this.#limits.enter(count, now, fresh).value, count, now);
  }

  async look(counter: Counter): Promise<TakenTokens> {
    const now = this.#now();
    const count = { ...counter, ...LOOK };
    const { value = freshShares(now, count.burst) } = this.#limits.find(count, now);
    return takeTokens(structuredClone(value), count, now);
  }

  async close(): Promise<void> {}
}
