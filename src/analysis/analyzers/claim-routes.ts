/** Routes by the claims of tokens, at gateways that check no token. */
import { selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";

const CLAIM = /^@request\.auth\.claims[.[]/i;

export const claimRoutes: Analyzer = {
  name: "virtualservice.JWTClaimRouteAnalyzer",
  about: "routes by claims at gateways that check no token",
  *analyze(mesh) {
    for (const service of mesh.of("VirtualService")) {
      const key = claimOf(service);
      if (key === undefined) continue;
      for (const named of service.spec.at("gateways").items) {
        const full = named.text.includes("/") ? named.text : `${service.namespace}/${named.text}`;
        const [namespace = "", name = ""] = full.split("/");
        const gateway = mesh.find("Gateway", namespace, name);
        if (named.text === "mesh" || gateway === undefined) continue;
        const selector = gateway.spec.at("selector").labels;
        for (const pod of mesh.pods) {
          if (!selects(selector, pod.labels)) continue;
          const isChecked = mesh
            .of("RequestAuthentication")
            .some(
              (one) =>
                [mesh.rootNamespace, pod.namespace].includes(one.namespace) &&
                selects(one.spec.at("selector", "matchLabels").labels, pod.labels),
            );
          if (!isChecked) yield finding(service, "IST0149", [key, full, pod.name], named);
        }
      }
    }
  },
};

function claimOf({ spec }: AnalyzedObject): string | undefined {
  const matches = spec.at("http").items.flatMap((route) => route.at("match").items);
  const names = matches.flatMap((match) => [
    ...match.at("headers").entries.keys(),
    ...match.at("withoutHeaders").entries.keys(),
  ]);
  return names.find((name) => CLAIM.test(name));
}
