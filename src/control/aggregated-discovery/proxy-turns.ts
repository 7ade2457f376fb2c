/**
 * Who is served for the first time, or again, waits for a turn: the most that is sent to one proxy is sent to few at once, so
 * that a thousand that come together neither fill memory nor hold up what is urgent for those that are there.
 */

/** Gives the turn back; further calls do nothing. */
export type EndTurn = () => void;

export class ProxyTurns {
  readonly #size: number;
  #taken = 0;
  readonly #waiting: Set<() => void> = new Set();

  constructor(size: number) {
    this.#size = size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @returns in the order of asking; rejects when the signal aborts before */
  async take(signal: AbortSignal): Promise<EndTurn> {
    signal.throwIfAborted();
    if (this.#taken >= this.#size) await this.#wait(signal);
    else this.#taken++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#passOn();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(admit);
        reject(signal.reason);
      };
      this.#waiting.add(admit);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
