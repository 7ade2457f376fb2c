/**
 * Who is served for the first time, or again, waits for a turn: the most that is sent to one proxy is sent to few at once, so
 * that a thousand that come together neither fill memory nor hold up what is urgent for those that are there. Nobody has more than one turn at
 * a time: whoever asks without end waits for itself alone.
 */

/** Gives the turn back; further calls do nothing. */
export type EndTurn = () => void;

interface Waiting {
  readonly who: string;
  readonly admit: () => void;
}

export class ProxyTurns {
  readonly #size: number;
  /** Who has a turn. */
  readonly #taken: Set<string> = new Set();
  readonly #waiting: Set<Waiting> = new Set();

  constructor(size: number) {
    this.#size = size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @returns in the order of asking, of those who have none; rejects when the signal aborts before */
  async take(who: string, signal: AbortSignal): Promise<EndTurn> {
    signal.throwIfAborted();
    if (this.#taken.size >= this.#size || this.#taken.has(who)) await this.#wait(who, signal);
    else this.#taken.add(who);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#taken.delete(who);
      this.#passOn();
    };
  }

  #wait(who: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const waiting = { who, admit };
      const leave = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason);
      };
      this.#waiting.add(waiting);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #passOn(): void {
    for (const next of this.#waiting) {
      if (this.#taken.has(next.who)) continue;
      this.#waiting.delete(next);
      this.#taken.add(next.who);
      next.admit();
      return;
    }
  }
}
