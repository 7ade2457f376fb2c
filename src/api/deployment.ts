/** Deployment: what to run, as whom, and how often. */
import type { Fields } from "./decoder.ts";
import { noticeMisplaced } from "./misplaced-pod-settings.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import { checkPodSelector, replicasOf } from "./replicated-pods.ts";
import type { ResourceMeta } from "./resource.ts";
import { surgeOf } from "./rollout-surge.ts";

export interface Deployment {
  readonly kind: "Deployment";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  readonly template: PodTemplate<"Always">;
  /** How many pods may run beside those that they replace; absent: none, each is replaced in place (`Recreate`). */
  readonly surge?: number;
}

const UNUSED_SPEC_FIELDS = [
  "minReadySeconds",
  "paused",
  "progressDeadlineSeconds",
  "revisionHistoryLimit",
];

export function deployment(meta: ResourceMeta, root: Fields): Deployment {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Always"],
  });
  checkPodSelector(spec, template.labels);
  noticeMisplaced({ meta, template }, { kind: "Deployment", root });
  spec.unused(UNUSED_SPEC_FIELDS);
  const replicas = replicasOf(spec);
  const surge = surgeOf(spec.section("strategy"), replicas);
  return {
    kind: "Deployment",
    meta,
    replicas,
    template,
    ...(surge !== undefined && { surge }),
  };
}
