/**
 * When changes are worked off: the first at once, since it may be what shuts somebody out, and those on its heels together, the
 * longer they go on the more of them at a time. However many changes there are, work is done a bounded number of times a second.
 */
import { performance } from "node:perf_hooks";

/** From the end of one piece of work to the beginning of the next: at first, and while changes go on. */
export interface PaceLimits {
  readonly firstMs: number;
  /** Source of the number: istiod's `PILOT_DEBOUNCE_AFTER`, which it waits before the first, too. */
  readonly longestMs: number;
}

const LIMITS: PaceLimits = { firstMs: 10, longestMs: 100 };

export class ChangePace {
  readonly #work: () => void;
  readonly #limits: PaceLimits;
  #isDue = false;
  /** As `performance.now()`; what comes before waits until then. */
  #restUntil = Number.NEGATIVE_INFINITY;
  #pauseMs: number;

  /** @param work is done for all changes told by then, in a turn of the event loop of its own */
  constructor(work: () => void, limits: PaceLimits = LIMITS) {
    this.#work = work;
    this.#limits = limits;
    this.#pauseMs = limits.firstMs;
  }

  /** Something is other than when work was begun last. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const leftMs = this.#restUntil - performance.now();
    if (leftMs <= 0) setImmediate(() => this.#run(this.#limits.firstMs));
    else setTimeout(() => this.#run(this.#longerPause), Math.ceil(leftMs));
  }

  get #longerPause(): number {
    return Math.min(this.#pauseMs * 2, this.#limits.longestMs);
  }

  #run(pauseMs: number): void {
    this.#isDue = false;
    this.#pauseMs = pauseMs;
    this.#work();
    this.#restUntil = performance.now() + pauseMs;
  }
}
