/** Annotations of Istio on the objects of Kubernetes: unknown, misplaced, malformed, deprecated. */

import { PLACE_OF_POD_ANNOTATIONS } from "../../api/misplaced-pod-settings.ts";
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { annotationProblem } from "../annotation-problem.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { ISTIO_ANNOTATIONS } from "../istio-annotations.ts";

const INJECT = "sidecar.istio.io/inject";
const KINDS = ["Namespace", "Service", "Pod", "Deployment"] as const;

/** Written by the control plane, never by people. */
const OF_CONTROLLERS: ReadonlySet<string> = new Set([
  "sidecar.istio.io/status",
  "gateway.istio.io/controller-version",
  "istio.io/rev",
]);

/** Set by the network plugin of Istio on every pod that needs no `istio-init`. */
const OF_NETWORK_PLUGIN: ReadonlySet<string> = new Set([
  "sidecar.istio.io/interceptionMode",
  "traffic.sidecar.istio.io/includeInboundPorts",
  "traffic.sidecar.istio.io/excludeInboundPorts",
  "traffic.sidecar.istio.io/includeOutboundIPRanges",
]);

export const annotationsOfKubernetes: Analyzer = {
  name: "annotations.K8sAnalyzer",
  about: "annotations of Istio that are unknown, misplaced or malformed",
  *analyze(mesh) {
    for (const [object, name, value] of annotationsOfIstio(mesh))
      yield* judged(object, name, value);
  },
};

/** Upstream leaves it out of a plain run too: it tells of annotations that istiod itself writes. */
export const alphaAnnotations: Analyzer = {
  name: "maturity.AlphaAnalyzer",
  about: "annotations of Istio that are still in their alpha phase",
  *analyze(mesh) {
    for (const [object, name] of annotationsOfIstio(mesh)) {
      const isSetByPlugin =
        object.kind === "Pod" && OF_NETWORK_PLUGIN.has(name) && !hasInitContainer(object);
      if (ISTIO_ANNOTATIONS.get(name)?.maturity === "Alpha" && !isSetByPlugin)
        yield finding(object, "IST0136", [name], annotationAt(object, name));
    }
  },
};

function* annotationsOfIstio(
  mesh: AnalyzedMesh,
): Iterable<readonly [AnalyzedObject, name: string, value: string]> {
  for (const object of KINDS.flatMap((kind) => mesh.of(kind)))
    for (const [name, value] of Object.entries(object.annotations))
      if (isOfIstio(name) && !OF_CONTROLLERS.has(name)) yield [object, name, value];
}

function* judged(object: AnalyzedObject, name: string, value: string): Iterable<Finding> {
  const at = annotationAt(object, name);
  const known = ISTIO_ANNOTATIONS.get(name);
  if (known === undefined) {
    yield finding(object, "IST0108", [name], at);
    return;
  }
  const isReplaced = name === INJECT && object.labels[INJECT] !== undefined;
  if (known.deprecated && !isReplaced) {
    const instead = name === INJECT ? ` in favor of the "${INJECT}" label` : "";
    yield finding(object, "IST0135", [name, instead], at);
  }
  if (known.kinds.includes("Any")) return;
  if (!known.kinds.includes(object.kind)) {
    yield finding(object, "IST0107", [name, placesOf(known.kinds, object)], at);
    return;
  }
  const problem = annotationProblem(name, value);
  if (problem !== undefined) yield finding(object, "IST0125", [name, problem], at);
}

/** What makes pods is where people look for what is read of them: it has the place too. */
function placesOf(kinds: readonly string[], { kind }: AnalyzedObject): string {
  const isTemplated = kind === "Deployment" && kinds.includes("Pod");
  return `${kinds.join(", ")}${isTemplated ? `: write it in ${PLACE_OF_POD_ANNOTATIONS}` : ""}`;
}

function annotationAt({ root }: AnalyzedObject, name: string): ReturnType<typeof root.at> {
  return root.at("metadata", "annotations", name);
}

function hasInitContainer({ spec }: AnalyzedObject): boolean {
  return spec.at("initContainers").items.some((one) => one.at("name").text === "istio-init");
}

function isOfIstio(name: string): boolean {
  return name === "kubernetes.io/ingress.class" || /istio\.io$/.test(name.split("/")[0] ?? "");
}
