/** Where counts are kept: in this process, or in Redis. */
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { TakenTokens, TokenWish } from "./token-shares.ts";

export interface Count extends TokenWish {
  /** Of the limit: `namespace/name/limit`. */
  readonly limit: string;
  /** What tells one bucket of the limit from the others; "" where it has one alone. */
  readonly key: string;
}

export interface Counters {
  /** @throws CountersAwayError, CountersLateError where nobody can say */
  take(count: Count): Promise<TakenTokens>;
  close(): Promise<void>;
}

/** What counts is not there, or has too much to do. */
export class CountersAwayError extends HauberkError {
  readonly code = "HAUBERK_COUNTERS_AWAY";
}

/** What counts gave no answer in time; the next one may come in time. */
export class CountersLateError extends HauberkError {
  readonly code = "HAUBERK_COUNTERS_LATE";
}
