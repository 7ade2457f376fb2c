/** DestinationRules for hosts that nobody serves, and subsets that no pod is in. */
import type { Labels } from "../../api/resource.ts";
import { type AnalyzedMesh, type AnalyzedPod, selects } from "../analyzed-mesh.ts";
import { type Analyzer, finding } from "../finding.ts";
import { findHost, knownHosts } from "../hosts.ts";

const OF_NODES = [
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
];

export const destinationRuleSubsets: Analyzer = {
  name: "destinationrule.PodNotSelectedAnalyzer",
  about: "DestinationRules for unknown hosts, and subsets without pods",
  *analyze(mesh) {
    const known = knownHosts(mesh);
    const pods = mesh.pods.map((pod) => ({ ...labelsOfNode(pod, mesh), ...pod.labels }));
    for (const rule of mesh.of("DestinationRule")) {
      const { spec, namespace } = rule;
      const host = spec.at("host");
      const exportTo = spec.at("exportTo").texts;
      const served = findHost(known, { namespace, exportTo, host: host.text });
      if (served === undefined) {
        yield finding(rule, "IST0174", [host.text], host);
        continue;
      }
      for (const subset of spec.at("subsets").items) {
        const wanted = { ...served.selector, ...subset.at("labels").labels };
        if (!pods.some((labels) => selects(wanted, labels)))
          yield finding(rule, "IST0173", [subset.at("name").text], subset);
      }
    }
  },
};

/** What a pod has of the node that it is on. */
function labelsOfNode({ spec }: AnalyzedPod, mesh: AnalyzedMesh): Labels {
  const name = spec.at("nodeName").text;
  if (name === "") return {};
  const node = mesh.find("Node", "", name);
  const ofPlace = OF_NODES.flatMap((label) => {
    const value = node?.labels[label] ?? "";
    return value === "" ? [] : [[label, value] as const];
  });
  return { ...Object.fromEntries(ofPlace), "kubernetes.io/hostname": name };
}
