/** AuthorizationPolicies rule by rule, as they are written. */
import type { Labels } from "../api/resource.ts";
import { type AnalyzedMesh, type AnalyzedPod, selects } from "./analyzed-mesh.ts";
import type { AnalyzedObject } from "./analyzed-object.ts";
import type { Field } from "./field.ts";
import { podInMesh } from "./in-mesh.ts";

export interface WrittenRule {
  readonly index: number;
  readonly at: Field;
  readonly sources: readonly Field[];
  readonly operations: readonly Field[];
  readonly conditions: readonly Field[];
}

export function rulesOf({ spec }: AnalyzedObject): readonly WrittenRule[] {
  return spec.at("rules").items.map((at, index) => ({
    index,
    at,
    sources: at.at("from").items.map((one) => one.at("source")),
    operations: at.at("to").items.map((one) => one.at("operation")),
    conditions: at.at("when").items,
  }));
}

/** ALLOW where nothing is written. */
export function actionOf({ spec }: AnalyzedObject): string {
  return spec.at("action").text || "ALLOW";
}

export function selectorOf({ spec }: AnalyzedObject): Labels {
  return spec.at("selector", "matchLabels").labels;
}

/** References lead to gateways and services, never to sidecars (AP-14). */
export function hasTargets({ spec }: AnalyzedObject): boolean {
  return spec.at("targetRef").exists || spec.at("targetRefs").size > 0;
}

/** Pods that a policy selects by labels (AP-10, AP-11). */
export function podsOf(policy: AnalyzedObject, mesh: AnalyzedMesh): readonly AnalyzedPod[] {
  return mesh.pods.filter((pod) => isSelected(pod, policy, mesh));
}

export function isSelected(
  pod: AnalyzedPod,
  policy: AnalyzedObject,
  { rootNamespace }: AnalyzedMesh,
): boolean {
  const isInReach = [pod.namespace, rootNamespace].includes(policy.namespace);
  return isInReach && !hasTargets(policy) && selects(selectorOf(policy), pod.labels);
}

/** Whether a policy allows nothing, to all of its namespace or of the mesh: `spec: {}` (AP-20). */
export function isDenyAll(policy: AnalyzedObject): boolean {
  const isPlain = !hasTargets(policy) && Object.keys(selectorOf(policy)).length === 0;
  return isPlain && actionOf(policy) === "ALLOW" && policy.spec.at("rules").size === 0;
}

/** Whether one of its rules holds for every request (AP-22). */
export function takesAll(policy: AnalyzedObject): boolean {
  return rulesOf(policy).some(({ at }) => at.size === 0);
}

/** The mode that counts for a pod, of the kind that no port changes (PA-10). */
export function mutualTlsOf(pod: AnalyzedPod, mesh: AnalyzedMesh): string {
  const levels = ["", "", ""];
  for (const policy of mesh.of("PeerAuthentication")) {
    const selector = selectorOf(policy);
    const isSelective = Object.keys(selector).length > 0;
    const mode = policy.spec.at("mtls", "mode").text;
    if (mode === "" || mode === "UNSET") continue;
    if (policy.namespace === mesh.rootNamespace && !isSelective) levels[0] ||= mode;
    if (policy.namespace !== pod.namespace) continue;
    if (!isSelective) levels[1] ||= mode;
    else if (selects(selector, pod.labels)) levels[2] ||= mode;
  }
  return levels.filter((mode) => mode !== "").at(-1) ?? "PERMISSIVE";
}

/** Namespaces that have a workload with a sidecar. */
export function meshNamespaces(mesh: AnalyzedMesh): readonly string[] {
  const pods = mesh.pods.filter((pod) => podInMesh(pod, mesh));
  return [...new Set(pods.map(({ namespace }) => namespace))].sort();
}

export function hasDenyAll(namespace: string, mesh: AnalyzedMesh): boolean {
  return mesh
    .of("AuthorizationPolicy")
    .some((one) => isDenyAll(one) && [namespace, mesh.rootNamespace].includes(one.namespace));
}
