/** Deployment: what to run, as whom, and how often. */
import type { Fields } from "./decoder.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import { checkPodSelector, replicasOf } from "./replicated-pods.ts";
import type { ResourceMeta } from "./resource.ts";

export interface Deployment {
  readonly kind: "Deployment";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  readonly template: PodTemplate<"Always">;
}

const UNUSED_SPEC_FIELDS = [
  "minReadySeconds",
  "paused",
  "progressDeadlineSeconds",
  "revisionHistoryLimit",
  "strategy",
];

export function deployment(meta: ResourceMeta, root: Fields): Deployment {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Always"],
  });
  checkPodSelector(spec, template.labels);
  spec.unused(UNUSED_SPEC_FIELDS);
  return { kind: "Deployment", meta, replicas: replicasOf(spec), template };
}
