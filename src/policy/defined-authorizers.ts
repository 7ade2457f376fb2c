/** CUSTOM policies delegate to authorizers that the mesh configuration defines; what any other name guards is refused (AP-120). */
import { type ExtensionProvider, isExternalAuthorizer } from "../api/extension-provider.ts";
import type { Decision } from "./decision.ts";

/** @returns the decision itself, where everybody who has to be asked is defined */
export function refuseUndefinedAuthorizers(
  decision: Decision,
  providers: readonly ExtensionProvider[],
): Decision {
  const { reason } = decision;
  if (reason.because !== "matched-custom") return decision;
  for (const { provider, matched } of reason.delegations) {
    const problem = problemOf(provider, providers);
    if (problem === undefined) continue;
    return {
      ...decision,
      verdict: "deny",
      reason: { because: "no-authorizer", provider, matched, problem },
    };
  }
  return decision;
}

function problemOf(name: string, providers: readonly ExtensionProvider[]): string | undefined {
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined) {
    return "extensionProviders of the mesh configuration does not define it";
  }
  if (isExternalAuthorizer(provider)) return undefined;
  return `it is of kind ${provider.kind}, which authorizes nothing`;
}
