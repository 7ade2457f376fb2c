/** Asks the engine, and puts its answer into the form of the interpreter's. */
import type { Decision, Judged, RuleRef } from "../../src/policy/decision.ts";
import { type NaiveDecision, type NaiveJudged, ruleId } from "./interpret.ts";

export function asNaive(decision: Decision): NaiveDecision {
  const { dryRun, audited } = decision;
  return {
    ...judgedOf(decision),
    ...(dryRun === undefined ? {} : { dryRun: judgedOf(dryRun) }),
    ...(audited === undefined ? {} : { audited: idOf(audited) }),
  };
}

function judgedOf({ verdict, reason }: Judged): NaiveJudged {
  const { because } = reason;
  switch (because) {
    case "matched-custom":
      return {
        verdict,
        because,
        delegations: reason.delegations.map(
          ({ provider, matched }) => `${provider}: ${idOf(matched)}`,
        ),
        afterwards: judgedOf(reason.afterwards),
      };
    case "matched-allow":
    case "matched-deny":
      return { verdict, because, matched: idOf(reason.matched) };
    default:
      return { verdict, because };
  }
}

function idOf({ policy, rule }: RuleRef): string {
  return ruleId(policy, rule);
}
