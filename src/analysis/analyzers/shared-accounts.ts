/** Workloads that policies cannot tell apart, since they run as one service account. */
import { type Analyzer, finding } from "../finding.ts";
import { podInMesh } from "../in-mesh.ts";

export const sharedAccounts: Analyzer = {
  name: "hauberk.SharedAccountsAnalyzer",
  about: "workloads with sidecars that run as the account `default`",
  *analyze(mesh) {
    for (const pod of mesh.pods) {
      const account = pod.spec.at("serviceAccountName");
      const isDefault = account.text === "" || account.text === "default";
      if (isDefault && podInMesh(pod, mesh))
        yield finding(pod.origin, "HBK0014", [`${pod.namespace}/${pod.name}`], account);
    }
  },
};
