/** Questions to authorizers on trial: requests are logged once they are answered, or without the answer if that takes too long. */

/** As late as a line of the log may be. */
const PATIENCE_MS = 1_000;

export class RunningTrials {
  readonly #running: Set<Promise<void>> = new Set();
  readonly #patienceMs: number;

  constructor(patienceMs: number = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  /** @returns when `told` is settled, or patience is at its end; never rejects */
  within(told: Promise<void>): Promise<void> {
    const running: Promise<void> = new Promise<void>((resolve) => {
      const end = setTimeout(resolve, this.#patienceMs);
      const settle = (): void => {
        clearTimeout(end);
        resolve();
      };
      told.then(settle, settle);
    }).then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
    return running;
  }

  /** All that run now. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
