/** What CUSTOM policies guard is refused while no external authorizer can be asked: never let past unasked (AP-65, AP-120). */
import type { Decision, Judged } from "../policy/decision.ts";

/**
 * The trial is settled alike: its verdict is what this sidecar would do.
 *
 * @returns the decision itself where nobody would have to be asked
 */
export function refuseDelegated(decision: Decision): Decision {
  const refused = refusalOf(decision);
  const refusedTrial = decision.dryRun && refusalOf(decision.dryRun);
  if (refused === undefined && refusedTrial === undefined) return decision;
  return { ...decision, ...refused, ...(refusedTrial && { dryRun: refusedTrial }) };
}

function refusalOf({ reason }: Judged): Judged | undefined {
  if (reason.because !== "matched-custom") return undefined;
  const [delegation] = reason.delegations;
  if (delegation === undefined) throw new RangeError("a delegation to nobody");
  const { provider, matched } = delegation;
  const problem = problemOf(provider);
  return { verdict: "deny", reason: { because: "no-authorizer", provider, matched, problem } };
}

function problemOf(provider: string): string {
  return provider === ""
    ? "the policy names none of extensionProviders"
    : "this version asks no external authorizers";
}
