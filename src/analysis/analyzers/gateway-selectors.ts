/** Policies that select pods of a Gateway of the Gateway API by labels: only `targetRefs` reach those. */
import { selects } from "../analyzed-mesh.ts";
import { type Analyzer, finding } from "../finding.ts";

const GATEWAY = "gateway.networking.k8s.io/gateway-name";
const POLICIES = ["AuthorizationPolicy", "RequestAuthentication", "Telemetry", "WasmPlugin"];

export const gatewaySelectors: Analyzer = {
  name: "k8sgateway.SelectorAnalyzer",
  about: "selectors that have no effect on Gateways of the Gateway API",
  once: true,
  *analyze(mesh) {
    const pods = mesh.pods.filter(({ labels }) => labels[GATEWAY] !== undefined);
    for (const policy of POLICIES.flatMap((kind) => mesh.of(kind))) {
      const selector = policy.spec.at("selector");
      if (policy.spec.at("targetRef").exists || !selector.exists) continue;
      const wanted = selector.at("matchLabels").labels;
      for (const { namespace, labels } of pods)
        if (namespace === policy.namespace && selects(wanted, labels))
          yield finding(policy, "IST0166", [labels[GATEWAY] ?? ""], selector);
    }
  },
};
