/** Work that is shared out among those it is done for: whoever has much of it, or slow work, holds up nobody else. */

export class FairTurns {
  readonly #most: number;
  /** Those that have work under way, with what of theirs waits. */
  readonly #askers: Map<string, { running: number; readonly waiting: (() => void)[] }> = new Map();

  /** @param most under way at once, of one asker */
  constructor(most: number) {
    this.#most = most;
  }

  /** Begins when fewer than the most are under way for `asker`, in the order in which they came. */
  async run(asker: string, task: () => Promise<void>): Promise<void> {
    const own = this.#askers.get(asker) ?? { running: 0, waiting: [] };
    this.#askers.set(asker, own);
    if (own.running === this.#most) await new Promise<void>((turn) => own.waiting.push(turn));
    else own.running++;
    try {
      await task();
    } finally {
      const next = own.waiting.shift();
      if (next !== undefined) next();
      else if (--own.running === 0) this.#askers.delete(asker);
    }
  }
}
