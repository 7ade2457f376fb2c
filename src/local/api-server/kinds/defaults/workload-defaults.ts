/** What Kubernetes fills into the kinds that make Pods. Source: pkg/apis/apps/v1 and batch/v1, defaults.go. */
import { objectAt } from "../json-access.ts";
import type { JsonObject, KubernetesObject } from "../kubernetes-object.ts";
import { always, each, withFields, within } from "./default-fields.ts";
import { podTemplateWithDefaults } from "./pod-defaults.ts";

/** Nothing that a number of failures counts up to. */
const WITHOUT_LIMIT = 2_147_483_647;

export function deploymentSpec(spec: JsonObject): JsonObject {
  const filled = withFields(templated(spec), {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
  });
  return always(filled, "strategy", (strategy) => {
    const typed = withFields(strategy, { type: "RollingUpdate" });
    if (typed["type"] !== "RollingUpdate") return typed;
    return always(typed, "rollingUpdate", (rolling) =>
      withFields(rolling, { maxSurge: "25%", maxUnavailable: "25%" }),
    );
  });
}

export function replicaSetSpec(spec: JsonObject): JsonObject {
  return withFields(templated(spec), { replicas: 1 });
}

export function statefulSetSpec(spec: JsonObject): JsonObject {
  let filled = withFields(templated(spec), {
    podManagementPolicy: "OrderedReady",
    replicas: 1,
    revisionHistoryLimit: 10,
    serviceName: "",
  });
  filled = always(filled, "persistentVolumeClaimRetentionPolicy", (policy) =>
    withFields(policy, { whenDeleted: "Retain", whenScaled: "Retain" }),
  );
  filled = always(filled, "updateStrategy", (strategy) => {
    const typed = withFields(strategy, { type: "RollingUpdate" });
    if (typed["type"] !== "RollingUpdate") return typed;
    return always(typed, "rollingUpdate", (rolling) => withFields(rolling, { partition: 0 }));
  });
  return each(filled, "volumeClaimTemplates", volumeClaim);
}

function volumeClaim(claim: JsonObject): JsonObject {
  const named = withFields(claim, { apiVersion: "v1", kind: "PersistentVolumeClaim" });
  const filled = always(named, "spec", (spec) => withFields(spec, { volumeMode: "Filesystem" }));
  return always(filled, "status", (status) => withFields(status, { phase: "Pending" }));
}

export function jobWithDefaults(job: KubernetesObject): KubernetesObject {
  const spec = jobSpec(objectAt(job, "spec"));
  const { labels } = job.metadata;
  const ofTemplate = objectAt(spec, "template", "metadata", "labels");
  const inherits = labels === undefined && Object.keys(ofTemplate).length > 0;
  const metadata = inherits
    ? ({ ...job.metadata, labels: ofTemplate } as KubernetesObject["metadata"])
    : job.metadata;
  return { ...job, metadata, spec };
}

function jobSpec(spec: JsonObject): JsonObject {
  const alone = spec["completions"] === undefined && spec["parallelism"] === undefined;
  const counted = withFields(spec, { parallelism: 1, ...(alone && { completions: 1 }) });
  const perIndex = spec["backoffLimitPerIndex"] !== undefined;
  const byPolicy = spec["podFailurePolicy"] !== undefined;
  const filled = withFields(templated(counted), {
    backoffLimit: perIndex ? WITHOUT_LIMIT : 6,
    completionMode: "NonIndexed",
    manualSelector: false,
    podReplacementPolicy: byPolicy ? "Failed" : "TerminatingOrFailed",
    suspend: false,
  });
  return within(filled, "podFailurePolicy", (policy) =>
    each(policy, "rules", (rule) =>
      each(rule, "onPodConditions", (condition) => withFields(condition, { status: "True" })),
    ),
  );
}

const templated = (spec: JsonObject): JsonObject =>
  always(spec, "template", podTemplateWithDefaults);
