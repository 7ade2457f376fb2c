/** Key sets are fetched from addresses that tokens' rules name: which ones, is for istiod to limit. */
import { type Analyzer, finding } from "../finding.ts";

const SHOWN = 5;

export const unrestrictedKeyFetches: Analyzer = {
  name: "authn.BlockedCIDRsAnalyzer",
  about: "an istiod that fetches key sets from any address",
  *analyze(mesh) {
    const names = mesh
      .of("RequestAuthentication")
      .map(({ namespace, name }) => `${namespace}/${name}`);
    if (names.length === 0) return;
    for (const deployment of mesh.of("Deployment")) {
      if (deployment.labels["app"] !== "istiod") continue;
      const variables = deployment.spec
        .at("template", "spec", "containers")
        .items.flatMap((container) => container.at("env").items);
      const isLimited = variables.some(
        (one) =>
          one.at("name").text === "BLOCKED_CIDRS_IN_JWKS_URIS" && one.at("value").text !== "",
      );
      if (!isLimited) yield finding(deployment, "IST0175", [names.length, shown(names)]);
    }
  },
};

function shown(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(", ");
  return `${names.slice(0, SHOWN).join(", ")}, and ${names.length - SHOWN} more`;
}
