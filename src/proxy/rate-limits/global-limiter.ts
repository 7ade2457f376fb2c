/** What the step of rate limits asks of whoever counts for the whole mesh. */
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";

/** One request, to be counted by one global limit. */
export interface GlobalQuestion {
  readonly limit: AppliedRateLimit;
  /** Of the bucket, as `RateLimitKey` makes it; "" where the limit has no key, or the request nothing of it. */
  readonly key: string;
  /** Of the caller, for limits that are fair; "" without identity. */
  readonly principal: string;
}

export interface GlobalAnswer {
  /**
   * "unavailable": nobody could be asked; `whenUnavailable` of the limit says what then. "unknown": who was asked knows no such
   * limit, as where it was taken away and the sidecar has not heard yet; it lets through, and is told of.
   */
  readonly verdict: "room" | "over" | "unavailable" | "unknown";
  /** Requests that would be let through now. */
  readonly left: number;
  /** Milliseconds until there is room again; 0 where there is. */
  readonly retryAfterMs: number;
}

export interface GlobalLimiter {
  /**
   * Counts a request by several limits: by all of them, or, where one has no room, by none. It never rejects, and answers
   * in bounded time.
   *
   * @returns in the order of the questions; not a promise where it is known at once
   */
  ask(
    questions: readonly GlobalQuestion[],
  ): readonly GlobalAnswer[] | Promise<readonly GlobalAnswer[]>;
  /** Gives back what was counted, as another limit refused the request after all. */
  giveBack(questions: readonly GlobalQuestion[]): void;
  /** The limits of a new view. */
  use(limits: readonly AppliedRateLimit[]): void;
  close(): void;
}
