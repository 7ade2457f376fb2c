/**
 * StatefulSet: pods that keep their names, and the volumes they claim, when they are started anew.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
import type { Fields } from "./decoder.ts";
import { noticeMisplaced } from "./misplaced-pod-settings.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import { reportTwice } from "./port-fields.ts";
import { checkPodSelector, replicasOf } from "./replicated-pods.ts";
import type { ResourceMeta } from "./resource.ts";
import { labelNameProblem, subdomainProblem } from "./resource-names.ts";
import {
  minReadySecondsOf,
  type StatefulSetStrategy,
  statefulSetStrategy,
} from "./rollout-strategy.ts";
import type { ClaimVolume } from "./volume.ts";

export interface StatefulSet {
  readonly kind: "StatefulSet";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  /** The headless service below whose name each pod has a name of its own; "" for none. */
  readonly serviceName: string;
  /** Whether a pod is started only once all before it are ready, or all at once. */
  readonly podManagementPolicy: "OrderedReady" | "Parallel";
  readonly strategy: StatefulSetStrategy;
  /** For how long a new pod has to be ready before it counts as available. */
  readonly minReadySeconds: number;
  /** Its volumes include the claims. */
  readonly template: PodTemplate<"Always">;
}

/** Added by Kubernetes to each pod, so that a Service may select a single one. */
export const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
export const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

const UNUSED_SPEC_FIELDS = ["persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"];

export function statefulSet(meta: ResourceMeta, root: Fields): StatefulSet {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Always"],
    claims: claimsOf(spec, meta.source.file),
  });
  checkPodSelector(spec, template.labels);
  noticeMisplaced({ meta, template }, { kind: "StatefulSet", root });
  spec.unused(UNUSED_SPEC_FIELDS);
  spec.unsupported(["ordinals"]);
  return {
    kind: "StatefulSet",
    meta,
    replicas: replicasOf(spec),
    serviceName: spec.text("serviceName", serviceNameProblem) ?? "",
    podManagementPolicy: spec.choice(
      "podManagementPolicy",
      ["OrderedReady", "Parallel"],
      "OrderedReady",
    ),
    strategy: statefulSetStrategy(spec.section("updateStrategy")),
    minReadySeconds: minReadySecondsOf(spec),
    template,
  };
}

/** A server writes "" where nobody says. */
function serviceNameProblem(name: string): string | undefined {
  return name === "" ? undefined : subdomainProblem(name);
}

/** Only their names count: whatever size and class is asked for, a claim is a folder. */
function claimsOf(spec: Fields, file: string): readonly ClaimVolume[] {
  const items = spec.list("volumeClaimTemplates");
  const metadata = items.map((item) => item.section("metadata"));
  const claims = items.map((item, index): ClaimVolume => {
    item.accept(["apiVersion", "kind", "spec", "status"]);
    const name = metadata[index]?.requiredText("name", labelNameProblem) ?? "";
    metadata[index]?.accept(["creationTimestamp"]);
    metadata[index]?.unused(["annotations", "labels", "namespace"]);
    return { kind: "claim", name, source: { file, line: item.line } };
  });
  reportTwice(metadata, { field: "name", values: claims.map(({ name }) => name) });
  return claims;
}
