/** Sidecars of which a pod gets several, or none. */

import type { Labels } from "../../api/resource.ts";
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import { type AnalyzedPod, selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { podInAmbient } from "../in-mesh.ts";

const OF_POD = "selected workload is in ambient mode, the policy has no impact";
const OF_NAMESPACE = "namespace is in ambient mode, the policy has no impact";

export const sidecarSelectors: Analyzer = {
  name: "sidecar.SelectorAnalyzer",
  about: "Sidecars that select no pod, or the same pod as others",
  *analyze(mesh) {
    const all = mesh.of("Sidecar");
    const ofNamespace = all.filter((one) => labelsOf(one).size === 0);
    const ofPods = all.filter((one) => labelsOf(one).size > 0);
    yield* withoutPods(ofPods, mesh);
    yield* twiceForOnePod(ofPods, mesh);
    yield* twiceForOneNamespace(ofNamespace, mesh);
  },
};

function labelsOf({ spec }: AnalyzedObject): ReturnType<typeof spec.at> {
  return spec.at("workloadSelector", "labels");
}

function takes(sidecar: AnalyzedObject, pod: AnalyzedPod): boolean {
  return pod.namespace === sidecar.namespace && selects(labelsOf(sidecar).labels, pod.labels);
}

function* withoutPods(sidecars: readonly AnalyzedObject[], mesh: AnalyzedMesh): Iterable<Finding> {
  for (const sidecar of sidecars) {
    const labels = labelsOf(sidecar);
    if (!mesh.pods.some((pod) => takes(sidecar, pod)))
      yield finding(sidecar, "IST0101", ["selector", selectorText(labels.labels)], labels);
  }
}

function* twiceForOnePod(
  sidecars: readonly AnalyzedObject[],
  mesh: AnalyzedMesh,
): Iterable<Finding> {
  const ineffective = new Set<AnalyzedObject>();
  for (const pod of mesh.pods) {
    const all = sidecars.filter((one) => takes(one, pod));
    for (const sidecar of all)
      if (podInAmbient(pod)) ineffective.add(sidecar);
      else if (all.length > 1) {
        const values = [all.map(({ name }) => name).sort(), pod.namespace, pod.name];
        yield finding(sidecar, "IST0110", values, sidecar.root.at("metadata", "name"));
      }
  }
  for (const sidecar of ineffective) yield finding(sidecar, "IST0167", [OF_POD]);
}

function* twiceForOneNamespace(
  sidecars: readonly AnalyzedObject[],
  mesh: AnalyzedMesh,
): Iterable<Finding> {
  for (const sidecar of sidecars) {
    const { namespace } = sidecar;
    const all = sidecars.filter((one) => one.namespace === namespace);
    if (isAmbient(namespace, mesh)) yield finding(sidecar, "IST0167", [OF_NAMESPACE]);
    else if (all.length > 1)
      yield finding(sidecar, "IST0111", [all.map(({ name }) => name).sort(), namespace]);
  }
}

function isAmbient(name: string, mesh: AnalyzedMesh): boolean {
  const labels: Labels = mesh.find("Namespace", "", name)?.labels ?? {};
  if (labels["istio-injection"] === "enabled" || (labels["istio.io/rev"] ?? "") !== "")
    return false;
  return labels["istio.io/dataplane-mode"] === "ambient";
}
