/** Mutual TLS: STRICT everywhere, and nobody left behind on the way there. */
import type { AnalyzedMesh, AnalyzedPod } from "../analyzed-mesh.ts";
import { mutualTlsOf, selectorOf } from "../authorization-rules.ts";
import { podInMesh } from "../in-mesh.ts";
import { cannotTell, fixedIn, met, notMet, type Practice, placed } from "../practice.ts";

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
  fix: 'hauberk logs | grep \' unknown \' names who still calls in plain text; when nobody does:\nkubectl patch peerauthentication default -n NAMESPACE --type merge -p \'{"spec":{"mtls":{"mode":"STRICT"}}}\'',
  judge({ mesh }) {
    const pods = podsInMesh(mesh);
    if (pods.length === 0) return cannotTell(NO_PODS);
    const left = pods
      .map((pod) => [nameOf(pod), mutualTlsOf(pod, mesh)] as const)
      .filter(([, mode]) => mode !== "STRICT");
    if (left.length === 0) return met(`STRICT for all ${pods.length} workloads with sidecars`);
    const judgement = notMet(...left.map(([name, mode]) => `${name}: ${mode}`));
    return fixedIn(judgement, laxNamespaces(mesh));
  },
};

/** Where there is a PeerAuthentication that the fix can change. */
function laxNamespaces(mesh: AnalyzedMesh): readonly string[] {
  return mesh
    .of("PeerAuthentication")
    .filter(({ name, spec }) => name === "default" && spec.at("mtls", "mode").text !== "STRICT")
    .map(({ namespace }) => namespace);
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
