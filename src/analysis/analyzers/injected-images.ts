/** Sidecars of another version than the injector would put in now. */

import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import { selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";
import { injectorName } from "../in-mesh.ts";

const REVISION = "istio.io/rev";

export const injectedImages: Analyzer = {
  name: "injection.ImageAnalyzer",
  about: "pods whose sidecar is of another image than the injector's",
  *analyze(mesh) {
    const images = new Map(
      mesh
        .of("ConfigMap")
        .filter(({ name }) => name.startsWith("istio-sidecar-injector"))
        .map((map) => [map.name, imageOf(map)] as const),
    );
    for (const namespace of mesh.of("Namespace")) {
      const revision = namespace.labels[REVISION];
      if (namespace.labels["istio-injection"] !== "enabled" && revision === undefined) continue;
      const image = images.get(injectorName(revision));
      if (image === undefined) continue;
      const pods = mesh.of("Pod").filter((pod) => pod.namespace === namespace.name);
      const stale = pods.filter((pod) => isStale(pod, { image, mesh })).map(({ name }) => name);
      if (stale.length > 0) yield finding(namespace, "IST0158", [stale.sort()]);
    }
  },
};

function isStale(
  pod: AnalyzedObject,
  { image, mesh }: { readonly image: string; readonly mesh: AnalyzedMesh },
): boolean {
  if ((pod.annotations["sidecar.istio.io/proxyImage"] ?? "") !== "") return false;
  // "auto" stands for whatever the injector puts in.
  const expected = ["auto", image, `${image}-${variantOf(pod, mesh)}`];
  return [...pod.spec.at("containers").items, ...pod.spec.at("initContainers").items].some(
    (one) => one.at("name").text === "istio-proxy" && !expected.includes(one.at("image").text),
  );
}

/** `distroless`, by whoever says it last: the mesh, its root namespace, the namespace, a selector, the pod. */
function variantOf(pod: AnalyzedObject, mesh: AnalyzedMesh): string {
  const configs = mesh.of("ProxyConfig");
  const inForce = [
    ...configs.filter(({ namespace }) => namespace === mesh.rootNamespace),
    ...configs.filter((one) => one.namespace === pod.namespace && !isSelective(one)),
    ...configs.filter(
      (one) =>
        one.namespace === pod.namespace &&
        isSelective(one) &&
        selects(one.spec.at("selector", "matchLabels").labels, pod.labels),
    ),
  ];
  const said = [
    mesh.meshConfig.at("defaultConfig", "image", "imageType").text,
    ...inForce.map(({ spec }) => spec.at("image", "imageType").text),
    /imageType:\s*"?([\w-]+)/.exec(pod.annotations["proxy.istio.io/config"] ?? "")?.[1] ?? "",
  ].filter((text) => text !== "");
  const variant = said.at(-1) ?? "";
  return variant === "default" ? "" : variant;
}

function isSelective({ spec }: AnalyzedObject): boolean {
  return spec.at("selector").exists;
}

function imageOf(map: AnalyzedObject): string {
  const global = globalOf(map.root.at("data", "values").text);
  const image = textOf(objectOf(global["proxy"])["image"]);
  return image.includes("/") ? image : `${textOf(global["hub"])}/${image}:${textOf(global["tag"])}`;
}

function globalOf(values: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(objectOf(JSON.parse(values))["global"]);
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
