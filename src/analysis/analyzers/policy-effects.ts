/** Policies that others, or the mode of mutual TLS, leave without the effect they seem to have. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import {
  actionOf,
  hasDenyAll,
  isSelected,
  meshNamespaces,
  mutualTlsOf,
  podsOf,
  rulesOf,
  selectorOf,
  takesAll,
} from "../authorization-rules.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { podInAmbient, podInMesh } from "../in-mesh.ts";

const OF_IDENTITY = ["principals", "namespaces", "serviceAccounts"];

export const policyEffects: Analyzer = {
  name: "hauberk.PolicyEffectsAnalyzer",
  about: "policies that others, or the mode of mutual TLS, leave without effect",
  once: true,
  *analyze(mesh) {
    for (const policy of mesh.of("AuthorizationPolicy")) {
      yield* unreached(policy, mesh);
      yield* bypassed(policy, mesh);
      yield* unenforced(policy, mesh);
      if (policy.annotations["istio.io/dry-run"] === "true")
        yield finding(policy, "HBK0018", [], policy.root.at("metadata", "annotations"));
    }
    for (const policy of mesh.of("PeerAuthentication")) {
      const isIgnored = policy.namespace === mesh.rootNamespace && hasSelector(policy);
      if (isIgnored)
        yield finding(policy, "HBK0011", [mesh.rootNamespace], policy.spec.at("selector"));
    }
    yield* withoutBaseline(mesh);
  },
};

function hasSelector(policy: AnalyzedObject): boolean {
  return Object.keys(selectorOf(policy)).length > 0;
}

function* unreached(policy: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  if (actionOf(policy) !== "ALLOW" || policy.spec.at("rules").size === 0) return;
  const candidates = mesh
    .of("AuthorizationPolicy")
    .filter((one) => actionOf(one) === "DENY" && takesAll(one));
  if (candidates.length === 0) return;
  const pods = podsOf(policy, mesh);
  const denying = candidates.find(
    (one) => pods.length > 0 && pods.every((pod) => isSelected(pod, one, mesh)),
  );
  if (denying !== undefined) yield finding(policy, "HBK0004", [denying.title]);
}

function* bypassed(policy: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  if (actionOf(policy) !== "DENY") return;
  const open = podsOf(policy, mesh).find(
    (pod) => podInMesh(pod, mesh) && mutualTlsOf(pod, mesh) !== "STRICT",
  );
  if (open === undefined) return;
  for (const { index, at, sources } of rulesOf(policy)) {
    const isOfIdentity =
      sources.length > 0 && sources.every((one) => OF_IDENTITY.some((name) => one.at(name).exists));
    const pod = `${open.namespace}/${open.name}`;
    if (isOfIdentity) yield finding(policy, "HBK0006", [`#${index}`, pod], at);
  }
}

function* unenforced(policy: AnalyzedObject, mesh: AnalyzedMesh): Iterable<Finding> {
  if (!hasSelector(policy)) return;
  const bare = podsOf(policy, mesh).find((pod) => !podInMesh(pod, mesh) && !podInAmbient(pod));
  if (bare === undefined) return;
  const at = policy.spec.at("selector");
  yield finding(policy, "HBK0016", [`${bare.namespace}/${bare.name}`], at);
}

function* withoutBaseline(mesh: AnalyzedMesh): Iterable<Finding> {
  for (const name of meshNamespaces(mesh)) {
    const namespace = mesh.find("Namespace", "", name);
    if (namespace === undefined || name === mesh.rootNamespace || hasDenyAll(name, mesh)) continue;
    yield finding(namespace, "HBK0005", [name], namespace.root.at("metadata", "name"));
  }
}
