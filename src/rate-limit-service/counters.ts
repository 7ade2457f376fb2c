/** Where counts are kept: in this process, or in Redis. */
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { TakenTokens, TokenWish } from "./token-debts.ts";

export interface Count extends TokenWish {
  /** Of the limit: `namespace/name/limit`. */
  readonly limit: string;
  /** What tells one bucket of the limit from the others; "" where it has one alone. */
  readonly key: string;
}

/** Which one, and what it allows. */
export type Counter = Omit<Count, "hits" | "advance">;

/** What is asked for where nothing is to be taken. */
export const LOOK: Pick<Count, "hits" | "advance"> = { hits: 0, advance: "unwelcome" };

export interface Counters {
  /** @throws CountersAwayError, CountersLateError where nobody can say */
  take(count: Count): Promise<TakenTokens>;
  /** What `take` would find: it changes nothing, and throws the same. */
  look(counter: Counter): Promise<TakenTokens>;
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
