/** One attempt of an intruder, and how to tell from outside whether it got what it was after. Pure. */
import type { Outcome } from "./order-client.ts";

export interface Attempt {
  /** In a few words. */
  readonly what: string;
  /** Name of a function of `attempts.js`, and what it is given. */
  readonly technique: string;
  readonly aim: Readonly<Record<string, unknown>>;
  /** What only the target says; absent: whatever is got. */
  readonly proof?: RegExp;
}

/** `broken`: the attempt was not even made, which says nothing about what it would have got. */
export type AttemptResult = "reached" | "stopped" | "not-tried" | "broken";

export function judgeAttempt({ proof = /^/ }: Attempt, outcome: Outcome): AttemptResult {
  const { got, stopped, missing } = outcome;
  if (got !== undefined) return proof.test(got) ? "reached" : "stopped";
  if (stopped !== undefined) return "stopped";
  return missing === undefined ? "broken" : "not-tried";
}
