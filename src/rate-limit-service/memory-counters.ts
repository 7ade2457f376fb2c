/** Counts in this process: exact, free, and begun anew when it is started again. */
import { type Count, type Counter, type Counters, LOOK } from "./counters.ts";
import { LimitRooms } from "./limit-rooms.ts";
import { freshDebts, type TakenTokens, type TokenDebts, takeTokens } from "./token-debts.ts";

export class MemoryCounters implements Counters {
  readonly #limits: LimitRooms<TokenDebts> = new LimitRooms();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async take(count: Count): Promise<TakenTokens> {
    const now = this.#now();
    const fresh = (): TokenDebts => freshDebts(now);
    return takeTokens(this.#limits.enter(count, now, fresh).value, count, now);
  }

  async look(counter: Counter): Promise<TakenTokens> {
    const now = this.#now();
    const count = { ...counter, ...LOOK };
    const { value = freshDebts(now) } = this.#limits.find(count, now);
    return takeTokens(structuredClone(value), count, now);
  }

  async close(): Promise<void> {}
}
