/** CUSTOM policies delegate to authorizers that can be asked; what any other guards is refused, and nothing else (AP-120, EA-30). */
import type { AppliedAuthorizer } from "./applied-authorizers.ts";
import type { Decision, Delegation, Judged } from "./decision.ts";

/**
 * @param authorizers as the view has them
 * @returns the decision itself, where everybody who has to be asked can be; the trial is settled alike
 */
export function refuseUnusableAuthorizers(
  decision: Decision,
  authorizers: readonly AppliedAuthorizer[] | undefined,
): Decision {
  const refused = refusalOf(decision, authorizers);
  const refusedTrial = decision.dryRun && refusalOf(decision.dryRun, authorizers);
  if (refused === undefined && refusedTrial === undefined) return decision;
  return { ...decision, ...refused, ...(refusedTrial && { dryRun: refusedTrial }) };
}

/** What becomes of traffic that is delegated to somebody who cannot be asked. */
export function noAuthorizer({ provider, matched }: Delegation, problem: string): Judged {
  return { verdict: "deny", reason: { because: "no-authorizer", provider, matched, problem } };
}

function refusalOf(
  { reason }: Judged,
  authorizers: readonly AppliedAuthorizer[] = [],
): Judged | undefined {
  if (reason.because !== "matched-custom") return undefined;
  for (const delegation of reason.delegations) {
    const authorizer = authorizers.find(({ name }) => name === delegation.provider);
    if (authorizer === undefined) return noAuthorizer(delegation, UNKNOWN);
    if (authorizer.kind === "unusable") return noAuthorizer(delegation, authorizer.problem);
  }
  return undefined;
}

const UNKNOWN = "nothing is known of it here";
