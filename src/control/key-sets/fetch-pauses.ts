/** How long to wait before an issuer is asked again: somebody waits while there are no keys, and nobody for an issuer long gone. */
import { type Backoff, backoffDelay } from "../../runtime/retry.ts";

const REFRESH_MS = 20 * 60_000;
/** While nothing can be verified, an issuer that starts a little late is no outage. */
const AT_FIRST: Backoff = { baseMs: 500, maxMs: 3_000 };
const AT_FIRST_MS = 60_000;
const LATER: Backoff = { baseMs: 3_000, maxMs: 60_000 };
const WITH_KEYS: Backoff = { baseMs: 10_000, maxMs: 5 * 60_000 };

export class FetchPauses {
  readonly #random: () => number;
  /** By the clock; of the first failure in a row. */
  #failingSinceMs: number | undefined;
  #backoff: Backoff = AT_FIRST;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  get isFailing(): boolean {
    return this.#failingSinceMs !== undefined;
  }

  /** @returns milliseconds, 18 to 20 minutes */
  afterSuccess(): number {
    this.#failingSinceMs = undefined;
    this.#failures = 0;
    return REFRESH_MS * (0.9 + this.#random() / 10);
  }

  /** @returns milliseconds */
  afterFailure(nowMs: number, keys: "with keys" | "without keys"): number {
    this.#failingSinceMs ??= nowMs;
    const isAtFirst = nowMs - this.#failingSinceMs <= AT_FIRST_MS;
    const withoutKeys = isAtFirst ? AT_FIRST : LATER;
    this.#goBy(keys === "with keys" ? WITH_KEYS : withoutKeys);
    return backoffDelay(this.#failures++, this.#backoff, this.#random());
  }

  #goBy(backoff: Backoff): void {
    if (backoff !== this.#backoff) this.#failures = 0;
    this.#backoff = backoff;
  }
}
