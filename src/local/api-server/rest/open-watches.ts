/** How many watches there are at a time: each costs at every change, and holds what its client has not read yet. */
import { StatusError } from "../objects/status-error.ts";

/** kubectl has one, a controller one for each kind that it follows. */
const MAX_WATCHES = 256;
const RETRY_SECONDS = 1;

export class OpenWatches {
  readonly #most: number;
  #open = 0;

  constructor(most: number = MAX_WATCHES) {
    this.#most = most;
  }

  /** @returns what ends it, once @throws StatusError 429 */
  enter(): () => void {
    if (this.#open >= this.#most)
      throw new StatusError(429, "TooManyRequests", {
        message: `there are ${this.#most} watches already; end some first`,
        details: { retryAfterSeconds: RETRY_SECONDS },
      });
    this.#open++;
    let isOpen = true;
    return () => {
      if (isOpen) this.#open--;
      isOpen = false;
    };
  }
}
