/** Deployment: what to run, as whom, and how often. */
import type { Fields } from "./decoder.ts";
import { noticeMisplaced } from "./misplaced-pod-settings.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import { checkPodSelector, replicasOf } from "./replicated-pods.ts";
import type { ResourceMeta } from "./resource.ts";
import {
  type DeploymentStrategy,
  deploymentStrategy,
  minReadySecondsOf,
} from "./rollout-strategy.ts";

export interface Deployment {
  readonly kind: "Deployment";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  readonly template: PodTemplate<"Always">;
  readonly strategy: DeploymentStrategy;
  /** For how long a new pod has to be ready before it counts as available. */
  readonly minReadySeconds: number;
}

/** The API server reads them. */
const STATUS_FIELDS = ["progressDeadlineSeconds", "revisionHistoryLimit"];

export function deployment(meta: ResourceMeta, root: Fields): Deployment {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Always"],
  });
  checkPodSelector(spec, template.labels);
  noticeMisplaced({ meta, template }, { kind: "Deployment", root });
  spec.accept(STATUS_FIELDS);
  spec.unused(["paused"]);
  const replicas = replicasOf(spec);
  return {
    kind: "Deployment",
    meta,
    replicas,
    template,
    strategy: deploymentStrategy(spec.section("strategy"), replicas),
    minReadySeconds: minReadySecondsOf(spec),
  };
}
