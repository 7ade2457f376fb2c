/**
 * What a sidecar knows of one bucket of a global limit: tokens that it was given in advance, until when there are none, and who
 * waits to hear. No timers: what is old is found out when somebody asks.
 */
import { LIMIT_ENTRY } from "../../policy/global-limit-descriptor.ts";
import type { RateLimitStatus } from "../../wire/rate-limit-call.ts";
import type { GlobalAnswer } from "./global-limiter.ts";

/** Entries of its descriptor. */
export type BucketEntries = readonly (readonly [name: string, value: string])[];
export type Hear = (answer: GlobalAnswer) => void;

/** Tokens that were given in advance count as long; then whoever else asks has had the time to miss them. */
export const ADVANCE_MS = 250;
/** For no longer is anybody refused without asking again, however long it takes: limits change. */
export const MAX_REFUSED_MS = 1_000;
const MIN_REFUSED_MS = 1;

export const UNAVAILABLE: GlobalAnswer = { verdict: "unavailable", left: 0, retryAfterMs: 0 };

export class GlobalBucket {
  readonly entries: BucketEntries;
  readonly #most: number;
  readonly #waiting: Hear[] = [];
  #held = 0;
  #heldUntil = 0;
  #refusedUntil = 0;
  #resetAt = 0;
  #left = 0;
  /** Whether a question is under way, or about to be. */
  isAsking = false;

  /** @param most tokens that it can be worth keeping: the limit's burst */
  constructor(entries: BucketEntries, most: number) {
    this.entries = entries;
    this.#most = most;
  }

  /** As it is called in the whole mesh. */
  get limit(): string | undefined {
    return this.entries.find(([name]) => name === LIMIT_ENTRY)?.[1];
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @returns undefined unless it is known that there is no room */
  refusal(now: number): GlobalAnswer | undefined {
    if (now >= this.#refusedUntil || this.#has(now)) return undefined;
    return { verdict: "over", left: 0, retryAfterMs: Math.max(1, this.#resetAt - now) };
  }

  /** Takes one of the tokens that are here, if any is. */
  take(now: number): GlobalAnswer | undefined {
    if (!this.#has(now)) return undefined;
    this.#held--;
    return { verdict: "room", left: this.#left + this.#held, retryAfterMs: 0 };
  }

  giveBack(now: number, count: number): void {
    const held = this.#has(now) ? this.#held : 0;
    this.#held = Math.min(held + count, this.#most);
    this.#heldUntil = now + ADVANCE_MS;
  }

  wait(hear: Hear): void {
    this.#waiting.push(hear);
  }

  /** @param hits how many were asked for; as many wait, or fewer, where it was asked ahead of need */
  settle(
    status: RateLimitStatus,
    { hits, now }: { readonly hits: number; readonly now: number },
  ): void {
    const waiters = this.#waiting.splice(0, hits);
    if (status.code === "unlimited") {
      for (const hear of waiters) hear({ verdict: "unknown", left: this.#most, retryAfterMs: 0 });
      return;
    }
    const given = status.given ?? (status.code === "ok" ? hits : 0);
    this.#left = status.remaining;
    this.#resetAt = now + status.resetMs;
    if (given < hits) {
      const refusedMs = Math.min(MAX_REFUSED_MS, Math.max(MIN_REFUSED_MS, status.resetMs));
      this.#refusedUntil = now + refusedMs;
    }
    const served = Math.min(given, waiters.length);
    if (given > served) this.giveBack(now, given - served);
    waiters.forEach((hear, place) => {
      hear(
        place < served
          ? { verdict: "room", left: this.#left + given - place - 1, retryAfterMs: 0 }
          : { verdict: "over", left: 0, retryAfterMs: Math.max(1, status.resetMs) },
      );
    });
  }

  /** Nobody could be asked. */
  abandon(): void {
    for (const hear of this.#waiting.splice(0)) hear(UNAVAILABLE);
  }

  #has(now: number): boolean {
    return this.#held > 0 && now < this.#heldUntil;
  }
}
