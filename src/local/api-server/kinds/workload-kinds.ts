/** The kinds that make Pods. Columns: Kubernetes pkg/printers/internalversion. */
import { ageColumn, column, conditionStatus, nameColumn, wide } from "./columns.ts";
import { listAt, numberAt, objectAt, textAt, valueAt } from "./json-access.ts";
import { builtIn } from "./kind-parts.ts";
import type { KubernetesObject } from "./kubernetes-object.ts";
import { orNone, printedDuration, printedSelector } from "./printed-values.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const ofContainers = (field: "name" | "image") => (object: KubernetesObject) =>
  listAt(object, "spec", "template", "spec", "containers")
    .map((container) => textAt(container, field))
    .join(",");

const containerColumns: readonly PrinterColumn[] = [
  column("Containers", "Names of each container in the template.", ofContainers("name"), wide),
  column("Images", "Images referenced by each container in the template.", ofContainers("image"), {
    ...wide,
  }),
];

const selectorText = (object: KubernetesObject): string =>
  printedSelector(objectAt(object, "spec", "selector"));

const readyColumn: PrinterColumn = column(
  "Ready",
  "Number of the pod with ready state",
  (object) => `${numberAt(object, "status", "readyReplicas")}/${replicas(object)}`,
);

const replicas = (object: KubernetesObject): number => numberAt(object, "spec", "replicas");

const deploymentColumns: readonly PrinterColumn[] = [
  nameColumn,
  readyColumn,
  column(
    "Up-to-date",
    "Total number of non-terminating pods targeted by this deployment that have the desired template spec.",
    (deployment) => numberAt(deployment, "status", "updatedReplicas"),
  ),
  column(
    "Available",
    "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.",
    (deployment) => numberAt(deployment, "status", "availableReplicas"),
  ),
  ageColumn,
  ...containerColumns,
  column(
    "Selector",
    "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
    selectorText,
    wide,
  ),
];

const replicaSetColumns: readonly PrinterColumn[] = [
  nameColumn,
  column(
    "Desired",
    "Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
    replicas,
    { type: "integer" },
  ),
  column(
    "Current",
    "Replicas is the most recently observed number of non-terminating pods. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset",
    (set) => numberAt(set, "status", "replicas"),
    { type: "integer" },
  ),
  column(
    "Ready",
    "The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.",
    (set) => numberAt(set, "status", "readyReplicas"),
    { type: "integer" },
  ),
  ageColumn,
  ...containerColumns,
  column(
    "Selector",
    "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
    selectorText,
    wide,
  ),
];

const jobColumns: readonly PrinterColumn[] = [
  nameColumn,
  column("Status", "Status of the job.", jobStatus),
  column(
    "Completions",
    "The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, it may decrease in reaction to scale down of elastic indexed jobs.",
    (job) => {
      const succeeded = numberAt(job, "status", "succeeded");
      if (valueAt(job, ["spec", "completions"]) != null) {
        return `${succeeded}/${numberAt(job, "spec", "completions")}`;
      }
      const parallelism = numberAt(job, "spec", "parallelism");
      return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
    },
  ),
  column("Duration", "Time required to complete the job.", (job, now) => {
    const start = textAt(job, "status", "startTime");
    const end = textAt(job, "status", "completionTime");
    if (start === "") return "";
    return printedDuration((end === "" ? now : Date.parse(end)) - Date.parse(start));
  }),
  ageColumn,
  ...containerColumns,
  column(
    "Selector",
    "A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
    (job) => orNone(selectorText(job)),
    wide,
  ),
];

function jobStatus(job: KubernetesObject): string {
  const is = (type: string): boolean => conditionStatus(job, type) === "True";
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  const other = ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(is);
  return other ?? "Running";
}

export const WORKLOAD_KINDS: readonly ServedKind[] = [
  builtIn({
    group: "apps",
    kind: "Deployment",
    plural: "deployments",
    shortNames: ["deploy"],
    categories: ["all"],
    subresources: ["status", "scale"],
    structure: structureOf("Deployment"),
    columns: deploymentColumns,
  }),
  builtIn({
    group: "apps",
    kind: "ReplicaSet",
    plural: "replicasets",
    shortNames: ["rs"],
    categories: ["all"],
    subresources: ["status", "scale"],
    structure: structureOf("ReplicaSet"),
    columns: replicaSetColumns,
  }),
  builtIn({
    group: "apps",
    kind: "StatefulSet",
    plural: "statefulsets",
    shortNames: ["sts"],
    categories: ["all"],
    subresources: ["status", "scale"],
    structure: structureOf("StatefulSet"),
    columns: [nameColumn, readyColumn, ageColumn, ...containerColumns],
  }),
  builtIn({
    group: "batch",
    kind: "Job",
    plural: "jobs",
    categories: ["all"],
    subresources: ["status"],
    structure: structureOf("Job"),
    columns: jobColumns,
  }),
];
