/** Whether policies on trial would change anything: what is told twice hides what differs (AP-110). */
import type { Decision, Judged, Reason, RuleRef } from "./decision.ts";

/**
 * What would be decided otherwise with the policies on trial in force: another verdict, or the same by another rule.
 *
 * @returns "same" where they change nothing, "no-trial" where none is on trial
 */
export function trialOutcome(decision: Decision): Judged | "same" | "no-trial" {
  const { dryRun } = decision;
  if (dryRun === undefined) return "no-trial";
  return deciderOf(dryRun) === deciderOf(decision) ? "same" : dryRun;
}

/** The same text for judgements of one verdict by one rule; which rules were near, and did not match, is no matter. */
function deciderOf({ verdict, reason }: Judged): string {
  return [verdict, reason.because, ...rulesOf(reason)].join(" ");
}

function rulesOf(reason: Reason): readonly string[] {
  if ("matched" in reason) return [nameOf(reason.matched)];
  if (reason.because !== "matched-custom") return [];
  const { delegations, afterwards } = reason;
  return [
    ...delegations.map(({ provider, matched }) => `${provider} ${nameOf(matched)}`),
    deciderOf(afterwards),
  ];
}

function nameOf({ policy: { namespace, name }, rule }: RuleRef): string {
  return `${namespace}/${name}[${rule}]`;
}
