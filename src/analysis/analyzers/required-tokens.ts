/** Rules about tokens that nobody has to send (JWT-1). */
import type { AnalyzedMesh, AnalyzedPod } from "../analyzed-mesh.ts";
import { actionOf, isSelected, podsOf, rulesOf } from "../authorization-rules.ts";
import { type Analyzer, finding } from "../finding.ts";

export const requiredTokens: Analyzer = {
  name: "hauberk.RequiredTokensAnalyzer",
  about: "RequestAuthentications whose tokens nobody has to send",
  *analyze(mesh) {
    for (const authentication of mesh.of("RequestAuthentication")) {
      if (authentication.spec.at("jwtRules").size === 0) continue;
      const pods = podsOf(authentication, mesh);
      if (pods.length > 0 && !pods.every((pod) => asksForToken(pod, mesh)))
        yield finding(authentication, "HBK0007", [], authentication.spec.at("jwtRules"));
    }
  },
};

/** Whether some policy that selects the pod refuses requests without a token, or allows by what a token says. */
export function asksForToken(pod: AnalyzedPod, mesh: AnalyzedMesh): boolean {
  return mesh.of("AuthorizationPolicy").some((policy) => {
    if (!isSelected(pod, policy, mesh)) return false;
    const asked = actionOf(policy) === "DENY" ? "notRequestPrincipals" : "requestPrincipals";
    return rulesOf(policy).some(
      ({ sources, conditions }) =>
        sources.some((source) => source.at(asked).exists) ||
        conditions.some((one) => one.at("key").text.startsWith("request.auth.")),
    );
  });
}
