/** Mutual TLS: STRICT everywhere, and nobody left behind on the way there. */
import type { Labels } from "../../api/resource.ts";
import { type AnalyzedMesh, type AnalyzedPod, selects } from "../analyzed-mesh.ts";
import { mutualTlsOf, selectorOf } from "../authorization-rules.ts";
import { podInMesh } from "../in-mesh.ts";
import { allOf, cannotTell, met, notMet, type Practice, placed } from "../practice.ts";

/** One, and several. */
export const WITH_SIDECAR: readonly [string, string] = [
  "workload with a sidecar",
  "workloads with sidecars",
];
const MAX_SHOWN = 10;
const NO_PODS = "no workload of the mesh has a sidecar";

export const strictMutualTls: Practice = {
  id: "strict-mutual-tls",
  practice: "Enable STRICT mTLS mesh-wide after migrating all workloads",
  fix: "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: istio-system}\nspec: {mtls: {mode: STRICT}}",
  judge({ mesh }) {
    const root = mesh.rootNamespace;
    const meshWide = mesh
      .of("PeerAuthentication")
      .find((one) => one.namespace === root && Object.keys(selectorOf(one)).length === 0);
    if (meshWide === undefined) return notMet(`no PeerAuthentication in ${root} without selector`);
    const mode = meshWide.spec.at("mtls", "mode");
    const said = `${placed(meshWide, mode)} says ${mode.text || "nothing"}`;
    if (mode.text !== "STRICT") return notMet(said);
    const laxer = exceptions(mesh);
    return laxer.length > 0 ? notMet(...laxer) : met(said);
  },
};

export const noPlaintextLeft: Practice = {
  id: "migrated-to-strict",
  practice: "Start with permissive mode, then migrate to strict mTLS",
  fix: strictFix([{ name: "default", namespace: "NAMESPACE" }]),
  judge({ mesh }) {
    const pods = podsInMesh(mesh);
    if (pods.length === 0) return cannotTell(NO_PODS);
    const left = pods
      .map((pod) => [pod, mutualTlsOf(pod, mesh)] as const)
      .filter(([, mode]) => mode !== "STRICT");
    if (left.length === 0) return met(`STRICT for ${allOf(pods.length, ...WITH_SIDECAR)}`);
    const judgement = notMet(...left.map(([pod, mode]) => `${nameOf(pod)}: ${mode}`));
    const lax = new Map(left.flatMap(([pod]) => laxPolicies(pod, mesh)));
    return { ...judgement, fix: strictFix([...lax.values()].slice(0, MAX_SHOWN)) };
  },
};

interface StrictPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly selector?: Labels;
}

/** What is to be STRICT for this pod, by its place: policies that say otherwise for it, and its namespace's own. */
function laxPolicies(
  pod: AnalyzedPod,
  mesh: AnalyzedMesh,
): readonly (readonly [place: string, policy: StrictPolicy])[] {
  const written = mesh
    .of("PeerAuthentication")
    .filter((one) => one.namespace === pod.namespace && selects(selectorOf(one), pod.labels))
    .map((one): StrictPolicy => {
      const selector = selectorOf(one);
      const { name, namespace } = one;
      return { name, namespace, ...(Object.keys(selector).length > 0 && { selector }) };
    });
  const isNamespaceWide = written.some(({ selector }) => selector === undefined);
  const added = isNamespaceWide ? [] : [{ name: "default", namespace: pod.namespace }];
  return [...added, ...written].map((one) => [`${one.namespace}/${one.name}`, one] as const);
}

function strictFix(policies: readonly StrictPolicy[]): string {
  const documents = policies.map(({ name, namespace, selector }) => {
    const selected = selector && `selector: {matchLabels: ${JSON.stringify(selector)}}, `;
    return `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${selected ?? ""}mtls: {mode: STRICT}}`;
  });
  return `${documents.join("\n---\n")}\n# Once hauberk logs --plaintext names nobody any more: whoever it names is cut off by this.`;
}

/** What takes a port, a workload or a namespace out of STRICT. */
function exceptions(mesh: AnalyzedMesh): readonly string[] {
  return mesh.of("PeerAuthentication").flatMap((policy) => {
    const ports = [...policy.spec.at("portLevelMtls").entries.values()];
    return [policy.spec, ...ports]
      .map((field) => (field === policy.spec ? field.at("mtls", "mode") : field.at("mode")))
      .filter((mode) => ["PERMISSIVE", "DISABLE"].includes(mode.text))
      .map((mode) => `${placed(policy, mode)} says ${mode.text}`);
  });
}

export function podsInMesh(mesh: AnalyzedMesh): readonly AnalyzedPod[] {
  return mesh.pods.filter((pod) => podInMesh(pod, mesh));
}

export function nameOf({ namespace, name }: AnalyzedPod): string {
  return `${namespace}/${name}`;
}
