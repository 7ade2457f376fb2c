/** What `kubectl get pods` tells. Source: Kubernetes pkg/printers/internalversion, printPod. */
import { ageColumn, column, conditionStatus, nameColumn, wide } from "./columns.ts";
import { listAt, numberAt, objectAt, textAt, valueAt } from "./json-access.ts";
import type { JsonValue, KubernetesObject } from "./kubernetes-object.ts";
import { orNone, printedSince } from "./printed-values.ts";
import type { PrinterColumn } from "./served-kind.ts";

interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** RFC 3339; "" when no container has ended. */
  readonly lastRestart: string;
}

export const podColumns: readonly PrinterColumn[] = [
  nameColumn,
  column("Ready", "The aggregate readiness state of this pod for accepting traffic.", (pod) => {
    const { ready, total } = podSummary(pod);
    return `${ready}/${total}`;
  }),
  column(
    "Status",
    "The aggregate status of the containers in this pod.",
    (pod) => podSummary(pod).reason,
  ),
  column(
    "Restarts",
    "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    (pod, now) => {
      const { restarts, lastRestart } = podSummary(pod);
      const since = restarts > 0 && lastRestart !== "";
      return since ? `${restarts} (${printedSince(lastRestart, now)} ago)` : `${restarts}`;
    },
  ),
  ageColumn,
  column(
    "IP",
    "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.",
    (pod) => orNone(textAt(pod, "status", "podIPs", 0, "ip")),
    wide,
  ),
  column(
    "Node",
    "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
    (pod) => orNone(textAt(pod, "spec", "nodeName")),
    wide,
  ),
  column(
    "Nominated Node",
    "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.",
    (pod) => orNone(textAt(pod, "status", "nominatedNodeName")),
    wide,
  ),
  column(
    "Readiness Gates",
    'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
    readinessGates,
    wide,
  ),
];

function readinessGates(pod: KubernetesObject): string {
  const gates = listAt(pod, "spec", "readinessGates");
  if (gates.length === 0) return "<none>";
  const open = gates.filter(
    (gate) => conditionStatus(pod, textAt(gate, "conditionType")) === "True",
  );
  return `${open.length}/${gates.length}`;
}

function podSummary(pod: KubernetesObject): PodSummary {
  const initial = initializing(pod);
  const sidecars = restartableInitContainers(pod);
  const total = listAt(pod, "spec", "containers").length + sidecars.size;
  const begun = initial === undefined || conditionStatus(pod, "Initialized") === "True";
  const counted = begun ? [...sidecarStatuses(pod, sidecars), ...statuses(pod)] : initStatuses(pod);
  const summary = begun ? running(pod) : { reason: initial, ready: 0 };
  return {
    total,
    ready: summary.ready + sidecarStatuses(pod, sidecars).filter(isReadySidecar).length,
    reason: leaving(pod) ?? summary.reason,
    restarts: counted.reduce<number>((sum, one) => sum + numberAt(one, "restartCount"), 0),
    lastRestart: counted
      .map((one) => textAt(one, "lastState", "terminated", "finishedAt"))
      .reduce((last, one) => (one > last ? one : last), ""),
  };
}

const statuses = (pod: KubernetesObject): readonly JsonValue[] =>
  listAt(pod, "status", "containerStatuses");
const initStatuses = (pod: KubernetesObject): readonly JsonValue[] =>
  listAt(pod, "status", "initContainerStatuses");

/** Those that keep running beside the containers: sidecars as Kubernetes knows them. */
function restartableInitContainers(pod: KubernetesObject): ReadonlySet<string> {
  const containers = listAt(pod, "spec", "initContainers");
  const restartable = containers.filter((one) => textAt(one, "restartPolicy") === "Always");
  return new Set(restartable.map((one) => textAt(one, "name")));
}

function sidecarStatuses(pod: KubernetesObject, names: ReadonlySet<string>): readonly JsonValue[] {
  return initStatuses(pod).filter((one) => names.has(textAt(one, "name")));
}

const isReadySidecar = (status: JsonValue): boolean =>
  valueAt(status, ["started"]) === true && valueAt(status, ["ready"]) === true;

/** @returns what is said of the first init container that is not done, undefined when all are */
function initializing(pod: KubernetesObject): string | undefined {
  const sidecars = restartableInitContainers(pod);
  for (const [index, status] of initStatuses(pod).entries()) {
    const terminated = valueAt(status, ["state", "terminated"]);
    if (terminated !== undefined && numberAt(terminated, "exitCode") === 0) continue;
    if (sidecars.has(textAt(status, "name")) && valueAt(status, ["started"]) === true) continue;
    if (terminated !== undefined) return `Init:${ending(terminated)}`;
    const waiting = textAt(status, "state", "waiting", "reason");
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${listAt(pod, "spec", "initContainers").length}`;
  }
  return undefined;
}

function ending(terminated: JsonValue): string {
  const reason = textAt(terminated, "reason");
  if (reason !== "") return reason;
  const signal = numberAt(terminated, "signal");
  return signal === 0 ? `ExitCode:${numberAt(terminated, "exitCode")}` : `Signal:${signal}`;
}

function running(pod: KubernetesObject): { reason: string; ready: number } {
  let [reason, failure, ready] = [ownReason(pod), "", 0];
  for (const status of statuses(pod).toReversed()) {
    const waiting = textAt(status, "state", "waiting", "reason");
    const terminated = valueAt(status, ["state", "terminated"]);
    if (waiting !== "") reason = waiting;
    else if (terminated !== undefined) {
      reason = ending(terminated);
      if (numberAt(terminated, "exitCode") !== 0) failure = reason;
    } else if (valueAt(status, ["ready"]) === true && isRunning(status)) ready += 1;
  }
  if (reason === "Completed") {
    if (ready > 0 && conditionStatus(pod, "Ready") === "True") reason = "Running";
    else if (failure !== "") reason = failure;
    else if (ready > 0) reason = "NotReady";
  }
  return { reason, ready };
}

const isRunning = (status: JsonValue): boolean =>
  valueAt(status, ["state", "running"]) !== undefined;

function ownReason(pod: KubernetesObject): string {
  const status = objectAt(pod, "status");
  const gated = listAt(status, "conditions").some(
    (one) => textAt(one, "type") === "PodScheduled" && textAt(one, "reason") === "SchedulingGated",
  );
  if (gated) return "SchedulingGated";
  return textAt(status, "reason") || textAt(status, "phase");
}

function leaving(pod: KubernetesObject): string | undefined {
  if (pod.metadata.deletionTimestamp === undefined) return undefined;
  if (textAt(pod, "status", "reason") === "NodeLost") return "Unknown";
  const phase = textAt(pod, "status", "phase");
  return phase === "Succeeded" || phase === "Failed" ? undefined : "Terminating";
}
