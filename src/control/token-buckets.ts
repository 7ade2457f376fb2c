/** Token buckets by key: of each so much at once, and so much a second later on. */
import type { Clock } from "../runtime/clock.ts";

const SECOND_MS = 1_000;
/** Those that ask no more are forgotten so often. */
const SWEEP_MS = 60_000;

export interface FillingRate {
  readonly atOnce: number;
  readonly perSecond: number;
}

export class TokenBuckets {
  readonly #rate: FillingRate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { left: number; at: number }>();
  #sweptAt = 0;

  constructor(rate: FillingRate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  take(key: string): "granted" | "spent" {
    const now = this.#clock.now().getTime();
    if (Math.abs(now - this.#sweptAt) >= SWEEP_MS) this.#sweep(now);
    const bucket = this.#buckets.get(key) ?? { left: this.#rate.atOnce, at: now };
    this.#buckets.set(key, bucket);
    bucket.left = this.#leftIn(bucket, now);
    bucket.at = now;
    if (bucket.left < 1) return "spent";
    bucket.left--;
    return "granted";
  }

  /** A clock that was set back gives nothing, and takes nothing away. */
  #leftIn({ left, at }: { readonly left: number; readonly at: number }, now: number): number {
    const { atOnce, perSecond } = this.#rate;
    const passedMs = Math.max(0, now - at);
    return Math.min(atOnce, left + (passedMs / SECOND_MS) * perSecond);
  }

  /** A full one is as good as none. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, bucket] of this.#buckets)
      if (this.#leftIn(bucket, now) >= this.#rate.atOnce) this.#buckets.delete(key);
  }
}
