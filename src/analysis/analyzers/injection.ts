/** Namespaces and pods that get no sidecar, or do not know whether they do. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { injectorName, proxyContainer } from "../in-mesh.ts";

const INJECTION = "istio-injection";
const REVISION = "istio.io/rev";
const MODE = "istio.io/dataplane-mode";
const INJECT = "sidecar.istio.io/inject";

export const injection: Analyzer = {
  name: "injection.Analyzer",
  about: "namespaces and pods without sidecars, and labels that contradict each other",
  *analyze(mesh) {
    for (const namespace of mesh.of("Namespace"))
      if (namespace.name !== "istio-system") yield* judged(namespace, mesh);
    for (const pod of mesh.of("Pod")) {
      const labels = mesh.find("Namespace", "", pod.namespace)?.labels ?? {};
      const said = pod.labels[INJECT] ?? pod.annotations[INJECT] ?? "";
      if (labels[INJECTION] !== "enabled" || labels[MODE] === "ambient") continue;
      if (said.toLowerCase() === "false" || pod.spec.at("hostNetwork").isTrue) continue;
      if (proxyContainer(pod.spec) === undefined)
        yield finding(pod, "IST0103", [`${pod.namespace}/${pod.name}`]);
    }
  },
};

function* judged(namespace: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  const { labels, name, root } = namespace;
  const at = root.at("metadata", "labels");
  const said = labels[INJECTION];
  const others = said === undefined || said === "enabled" ? [REVISION, MODE] : [];
  const present = [INJECTION, ...others].filter((label) => labels[label] !== undefined);
  const written = present.map((label) => `${label}=${labels[label]}`);
  if (written.length > 1) yield finding(namespace, "IST0123", [written], at);
  if (labels[MODE] === "ambient") return;
  if ((said ?? "") !== "" || labels[REVISION] !== undefined) return;
  const isDefault = injectsByDefault(mesh, labels[REVISION]);
  if (isDefault) yield finding(namespace, "IST0148", [], root.at("metadata", "name"));
  else yield finding(namespace, "IST0102", [name, name], root.at("metadata", "name"));
}

function injectsByDefault(mesh: AnalyzedMesh, revision: string | undefined): boolean {
  const maps = mesh.of("ConfigMap").filter(({ name }) => name === injectorName(revision));
  return maps.some(({ root }) => {
    const values = root.at("data", "values").text;
    return /"enableNamespacesByDefault"\s*:\s*true/.test(values);
  });
}
