/** Questions to authorizers on trial: requests are logged once they are answered, or without the answer if that takes too long. */

import { type AuthorizerVerdict, failed } from "./authorizer-verdict.ts";

/** As late as a line of the log may be. */
const PATIENCE_MS = 1_000;
/** Each holds the head of a request that may be long over. */
const MOST_QUESTIONS = 1_000;

/** As `Inquiry`. */
interface Question {
  readonly verdict: Promise<AuthorizerVerdict>;
  cancel(): void;
}

export class RunningTrials {
  readonly #running: Set<Promise<void>> = new Set();
  readonly #patienceMs: number;
  #questions = 0;

  constructor(patienceMs: number = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  /** Whether so many questions are under way that nobody else should be asked. */
  get isFull(): boolean {
    return this.#questions >= MOST_QUESTIONS;
  }

  /** What is answered when nobody waits any more need not be answered. Never rejects. */
  async answerTo({ verdict, cancel }: Question): Promise<AuthorizerVerdict> {
    this.#questions++;
    let end: NodeJS.Timeout | undefined;
    const late = new Promise<AuthorizerVerdict>((resolve) => {
      end = setTimeout(() => {
        resolve(failed("it did not answer as long as somebody could be told"));
        cancel();
      }, this.#patienceMs);
    });
    try {
      return await Promise.race([verdict, late]);
    } finally {
      clearTimeout(end);
      this.#questions--;
    }
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
