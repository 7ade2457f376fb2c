/** What external authorizers answered about traffic that was decided, in words. */
import type { AuthorizerAnswer } from "./decision.ts";

/** A short line, such as `opa allowed in 3 ms`, or `opa (on trial) gave no answer in 500 ms: …`. */
export function answerInWords(answer: AuthorizerAnswer): string {
  const { provider, outcome, milliseconds, dryRun } = answer;
  const who = dryRun ? `${provider} (on trial)` : provider;
  return `${who} ${OUTCOMES[outcome]}${withStatus(answer)} in ${milliseconds} ms${why(answer)}`;
}

const OUTCOMES: Readonly<Record<AuthorizerAnswer["outcome"], string>> = {
  allowed: "allowed",
  denied: "denied",
  failed: "gave no answer",
  "passed unasked": "gave no answer, and is passed by (failOpen)",
};

function withStatus({ outcome, status }: AuthorizerAnswer): string {
  return outcome === "denied" && status !== undefined ? ` with ${status}` : "";
}

function why({ problem }: AuthorizerAnswer): string {
  return problem === undefined ? "" : `: ${problem}`;
}
