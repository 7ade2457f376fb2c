/** Waiting between attempts. */
import { setTimeout as delay } from "node:timers/promises";

export interface Backoff {
  /** Delay before the first retry, in milliseconds. */
  readonly baseMs: number;
  /** Longest delay, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential delay with full jitter above half: between 50 % and 100 % of `baseMs * 2^attempt`, capped.
 *
 * @param attempt 0 for the first retry
 * @param random a number in [0, 1)
 * @returns milliseconds
 */
export function backoffDelay(attempt: number, { baseMs, maxMs }: Backoff, random: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + random / 2);
}

/**
 * Runs `attempt` until it succeeds or `signal` aborts; between failures it waits.
 *
 * @param onFailure hears of every failure and of the delay that follows
 * @throws the abort reason, once `signal` aborts
 */
export async function retry<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: {
    readonly backoff: Backoff;
    readonly signal: AbortSignal;
    readonly random: () => number;
    readonly onFailure?: (error: unknown, delayMs: number) => void;
  },
): Promise<T> {
  for (let failures = 0; ; failures++) {
    options.signal.throwIfAborted();
    try {
      return await attempt(options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      const delayMs = backoffDelay(failures, options.backoff, options.random());
      options.onFailure?.(error, delayMs);
      await delay(delayMs, undefined, { signal: options.signal });
    }
  }
}
