/** Who has a sidecar, as istioctl's analyzers ask. Source: `util/in_mesh.go` of istio/istio. */
import type { Labels } from "../api/resource.ts";
import type { AnalyzedMesh, AnalyzedPod } from "./analyzed-mesh.ts";
import type { AnalyzedObject } from "./analyzed-object.ts";
import type { Field } from "./field.ts";

const INJECT = "sidecar.istio.io/inject";

export function podInMesh(pod: AnalyzedPod, mesh: AnalyzedMesh): boolean {
  if (proxyContainer(pod.spec) !== undefined) return true;
  const said = pod.labels[INJECT] ?? pod.annotations[INJECT];
  if (said !== undefined) return said === "true";
  const namespace = mesh.find("Namespace", "", pod.namespace);
  return namespace?.labels["istio-injection"] === "enabled" || hasRevision(namespace?.labels);
}

function hasRevision(labels: Labels = {}): boolean {
  return labels["istio-injection"] === undefined && (labels["istio.io/rev"] ?? "") !== "";
}

/** Ambient mode: no sidecar, and enforced all the same. */
export function podInAmbient({ annotations }: AnalyzedPod): boolean {
  return annotations["ambient.istio.io/redirection"] === "enabled";
}

/** The sidecar that stands in the spec of a pod, where it has an image. */
export function proxyContainer(spec: Field): Field | undefined {
  const containers = [...spec.at("containers").items, ...spec.at("initContainers").items];
  const [proxy] = containers.filter((one) => one.at("name").text === "istio-proxy");
  return proxy?.at("image").text ? proxy : undefined;
}

/** Whether it is part of Istio itself. */
export function isControlPlane({ labels }: AnalyzedObject): boolean {
  return labels["istio"] !== undefined || labels["release"] === "istio";
}

/** Name of the ConfigMap that sidecars of a revision are injected by. */
export function injectorName(revision: string | undefined): string {
  const isDefault = revision === undefined || revision === "" || revision === "default";
  return isDefault ? "istio-sidecar-injector" : `istio-sidecar-injector-${revision}`;
}
