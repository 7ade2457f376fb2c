/** CUSTOM policies delegate to authorizers that the mesh configuration defines; what any other name guards is refused (AP-120). */
import { type ExtensionProvider, isExternalAuthorizer } from "../api/extension-provider.ts";
import type { Decision, Judged } from "./decision.ts";

/** @returns the decision itself, where everybody who has to be asked is defined; the trial is settled alike */
export function refuseUndefinedAuthorizers(
  decision: Decision,
  providers: readonly ExtensionProvider[],
): Decision {
  const refused = refusalOf(decision, providers);
  const refusedTrial = decision.dryRun && refusalOf(decision.dryRun, providers);
  if (refused === undefined && refusedTrial === undefined) return decision;
  return { ...decision, ...refused, ...(refusedTrial && { dryRun: refusedTrial }) };
}

function refusalOf(
  { reason }: Judged,
  providers: readonly ExtensionProvider[],
): Judged | undefined {
  if (reason.because !== "matched-custom") return undefined;
  for (const { provider, matched } of reason.delegations) {
    const problem = problemOf(provider, providers);
    if (problem === undefined) continue;
    return { verdict: "deny", reason: { because: "no-authorizer", provider, matched, problem } };
  }
  return undefined;
}

function problemOf(name: string, providers: readonly ExtensionProvider[]): string | undefined {
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined) {
    return "extensionProviders of the mesh configuration does not define it";
  }
  if (isExternalAuthorizer(provider)) return undefined;
  return `it is of kind ${provider.kind}, which authorizes nothing`;
}
