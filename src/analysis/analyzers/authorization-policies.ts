/** AuthorizationPolicies that select nobody, and callers' namespaces that do not exist. */
import { type AnalyzedMesh, type AnalyzedPod, selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { podInAmbient, podInMesh } from "../in-mesh.ts";

export const authorizationPolicies: Analyzer = {
  name: "authz.AuthorizationPoliciesAnalyzer",
  about: "AuthorizationPolicies that select no workload, or name namespaces that do not exist",
  *analyze(mesh) {
    const pods = mesh.pods.filter((pod) => podInMesh(pod, mesh) || podInAmbient(pod));
    for (const policy of mesh.of("AuthorizationPolicy")) {
      yield* withoutWorkloads(policy, { mesh, pods });
      yield* unknownNamespaces(policy, mesh);
    }
  },
};

function* withoutWorkloads(
  policy: AnalyzedObject,
  { mesh, pods }: { readonly mesh: AnalyzedMesh; readonly pods: readonly AnalyzedPod[] },
): Iterable<Finding> {
  const { spec, namespace } = policy;
  const selector = spec.at("selector");
  const isMeshWide = namespace === mesh.rootNamespace;
  // What is said of gateways and services by reference is not a matter of labels.
  if (spec.at("targetRef").exists || spec.at("targetRefs").exists) return;
  if (isMeshWide && !selector.exists) return;
  const labels = selector.at("matchLabels").labels;
  const isMet = pods.some(
    (pod) => (isMeshWide || pod.namespace === namespace) && selects(labels, pod.labels),
  );
  if (!isMet) yield finding(policy, "IST0127", [selectorText(labels)], selector);
}

function* unknownNamespaces(policy: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  const known = mesh.of("Namespace").map(({ name }) => name);
  const sources = policy.spec
    .at("rules")
    .items.flatMap((rule) => rule.at("from").items.map((from) => from.at("source")));
  for (const source of sources)
    for (const named of [...source.at("namespaces").items, ...source.at("notNamespaces").items])
      if (!known.some((name) => takes(named.text, name)))
        yield finding(policy, "IST0101", ["namespace", named.text], named);
}

function takes(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("*")) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith("*")) return name.startsWith(pattern.slice(0, -1));
  return pattern.toLowerCase() === name.toLowerCase();
}
