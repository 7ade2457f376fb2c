/** What CUSTOM policies guard is refused while no external authorizer can be asked: never let past unasked (AP-65, AP-120). */
import type { Decision } from "../policy/decision.ts";

/** @returns the decision itself where nobody has to be asked */
export function refuseDelegated(decision: Decision): Decision {
  const { reason, dryRun, audited } = decision;
  if (reason.because !== "matched-custom") return decision;
  const [delegation] = reason.delegations;
  if (delegation === undefined) throw new RangeError("a delegation to nobody");
  const { provider, matched } = delegation;
  return {
    verdict: "deny",
    reason: { because: "no-authorizer", provider, matched, problem: problemOf(provider) },
    ...(dryRun !== undefined && { dryRun }),
    ...(audited !== undefined && { audited }),
  };
}

function problemOf(provider: string): string {
  return provider === ""
    ? "the policy names none of extensionProviders"
    : "this version asks no external authorizers";
}
