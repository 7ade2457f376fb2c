/**
 * Annotations and labels that are read of pods alone, written on what makes the pods: they change nothing there, and nobody
 * would say so. Source: the `Pod` rows of `annotation/annotations.gen.go` and `label/labels.gen.go` of istio/api.
 */
import type { Fields } from "./decoder.ts";
import { OWN_PREFIX, POD_ANNOTATIONS } from "./own-annotations.ts";
import type { PodTemplate } from "./pod-template.ts";
import type { ResourceMeta } from "./resource.ts";

/** What begins like this is read of pods, whatever follows. */
const READ_OF_PODS: readonly string[] = [
  OWN_PREFIX,
  "inject.istio.io/",
  "proxy.istio.io/",
  "sidecar.istio.io/",
  "status.sidecar.istio.io/",
  "readiness.status.sidecar.istio.io/",
  "traffic.sidecar.istio.io/",
  "prometheus.istio.io/",
];

/** The one label among them: by which a pod is given a sidecar, or none. */
const INJECT = "sidecar.istio.io/inject";

/** Where the annotations of the pods of a Deployment, a StatefulSet or a Job are written. */
export const PLACE_OF_POD_ANNOTATIONS = "spec.template.metadata.annotations";
const POD_LABELS = "spec.template.metadata.labels";

/**
 * A notice for each, at its line. What the template says too, whatever its value, is no mistake: charts write both.
 *
 * @param root the resource that makes the pods
 */
export function noticeMisplaced(
  { meta, template }: { readonly meta: ResourceMeta; readonly template: PodTemplate },
  { kind, root }: { readonly kind: string; readonly root: Fields },
): void {
  const metadata = root.section("metadata");
  for (const name of Object.keys(meta.annotations)) {
    if (!isReadOfPods(name) || Object.hasOwn(template.annotations, name)) continue;
    const isUnknown = name.startsWith(OWN_PREFIX) && !POD_ANNOTATIONS.includes(name);
    const why = isUnknown
      ? `of ours pods have ${POD_ANNOTATIONS.join(", ")}`
      : "it is read of pods";
    const said = `has no effect on a ${kind}: ${why}; write it in ${PLACE_OF_POD_ANNOTATIONS}`;
    metadata.section("annotations").notice(name, said);
  }
  if (Object.hasOwn(meta.labels, INJECT) && !Object.hasOwn(template.labels, INJECT)) {
    const said = `has no effect on a ${kind}: it is read of pods; write it in ${POD_LABELS}`;
    metadata.section("labels").notice(INJECT, said);
  }
  // Whoever read `meta` has judged the rest of it.
  metadata.acceptAll();
}

function isReadOfPods(name: string): boolean {
  return READ_OF_PODS.some((prefix) => name.startsWith(prefix));
}
