/** What a change of an object that the mesh writes tells of what happened, in the words of a cluster's own parts. */
import { listAt, numberAt, textAt, valueAt } from "../../api-server/kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { CommittedChange } from "../../api-server/objects/object-change.ts";
import { controllerOf, type Happening, type InvolvedObject, involved } from "./happening.ts";

type Changed = Pick<CommittedChange, "before" | "after" | "object">;

/** Oldest first; empty for a change that tells nothing. */
export function happeningsOf(change: CommittedChange): readonly Happening[] {
  switch (change.kind.kind) {
    case "Pod":
      return [...ofPod(change), ...ofPodOwner(change)];
    case "ReplicaSet":
      return ofReplicaSet(change);
    case "Job":
      return ofJob(change);
    default:
      return [];
  }
}

function ofPod({ before, after, object }: Changed): readonly Happening[] {
  if (after === undefined) return runningContainers(object).map((name) => killing(object, name));
  const scheduled: readonly Happening[] =
    before === undefined
      ? [
          {
            about: involved(after),
            component: "default-scheduler",
            type: "Normal",
            reason: "Scheduled",
            message: `Successfully assigned ${nameOf(after)} to ${textAt(after, "spec", "nodeName")}`,
          },
        ]
      : [];
  return [...scheduled, ...statuses(after).flatMap((status) => ofContainer(status, before, after))];
}

function ofContainer(
  status: JsonValue,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): readonly Happening[] {
  const name = textAt(status, "name");
  const was = statuses(before).find((one) => textAt(one, "name") === name);
  const about = involved(after, name);
  const restarts = numberAt(status, "restartCount") - numberAt(was, "restartCount");
  const untold = endsOf(status) - endsOf(was);
  const backOff: Happening = {
    about,
    component: "kubelet",
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container ${name} in pod ${textAt(after, "metadata", "name")}_${after.metadata.namespace}(${after.metadata.uid})`,
    ...(untold > 1 && { times: untold }),
  };
  const started: Happening = {
    about,
    component: "kubelet",
    type: "Normal",
    reason: "Started",
    message: `Started container ${name}`,
  };
  // What is to run for ever ends for good only where it is asked to.
  const isKilled = isRunning(was) && isTerminated(status) && controllerOf(after)?.kind !== "Job";
  const hasStarted = isRunning(status) && (!isRunning(was) || restarts > 0);
  return [
    ...(untold > 0 ? [backOff] : []),
    ...(hasStarted ? [started] : []),
    ...(isKilled ? [killing(after, name)] : []),
  ];
}

function killing(pod: KubernetesObject, container: string): Happening {
  return {
    about: involved(pod, container),
    component: "kubelet",
    type: "Normal",
    reason: "Killing",
    message: `Stopping container ${container}`,
  };
}

/** Those that make pods say which. */
function ofPodOwner({ before, after, object }: Changed): readonly Happening[] {
  const owner = controllerOf(object);
  if (owner === undefined || (before !== undefined && after !== undefined)) return [];
  const isMade = after !== undefined;
  const name = object.metadata.name ?? "";
  const message =
    owner.kind === "StatefulSet"
      ? `${isMade ? "create" : "delete"} Pod ${name} in StatefulSet ${owner.name} successful`
      : `${isMade ? "Created" : "Deleted"} pod: ${name}`;
  const reason = isMade ? "SuccessfulCreate" : "SuccessfulDelete";
  return [{ about: owner, type: "Normal", reason, message, component: componentOf(owner) }];
}

function componentOf({ kind }: InvolvedObject): string {
  return `${kind.toLowerCase()}-controller`;
}

function ofReplicaSet({ before, after, object }: Changed): readonly Happening[] {
  const owner = controllerOf(object);
  const was = numberAt(before, "spec", "replicas");
  const is = numberAt(after, "spec", "replicas");
  if (owner === undefined || after === undefined || was === is) return [];
  const message = `Scaled ${is > was ? "up" : "down"} replica set ${object.metadata.name} from ${was} to ${is}`;
  const component = "deployment-controller";
  return [{ about: owner, type: "Normal", reason: "ScalingReplicaSet", message, component }];
}

function ofJob({ before, after }: Changed): readonly Happening[] {
  if (after === undefined) return [];
  const ended = (job: KubernetesObject | undefined): string =>
    textAt(valueAt(job, ["status", "conditions", 0]), "type");
  if (ended(after) === ended(before)) return [];
  const job = { about: involved(after), component: "job-controller" };
  switch (ended(after)) {
    case "Complete":
      return [{ ...job, type: "Normal", reason: "Completed", message: "Job completed" }];
    case "Failed":
      return [
        {
          ...job,
          type: "Warning",
          reason: "BackoffLimitExceeded",
          message: "Job has reached the specified backoff limit",
        },
      ];
    default:
      return [];
  }
}

function statuses(pod: KubernetesObject | undefined): readonly JsonValue[] {
  return listAt(pod, "status", "containerStatuses");
}

function isRunning(status: JsonValue | undefined): boolean {
  return valueAt(status, ["state", "running"]) !== undefined;
}

function isTerminated(status: JsonValue | undefined): boolean {
  return valueAt(status, ["state", "terminated"]) !== undefined;
}

/** How often it has ended and was, or will be, started again: each wait is for another start. */
function endsOf(status: JsonValue | undefined): number {
  return numberAt(status, "restartCount") + (isBackingOff(status) ? 1 : 0);
}

function isBackingOff(status: JsonValue | undefined): boolean {
  return textAt(status, "state", "waiting", "reason") === "CrashLoopBackOff";
}

function runningContainers(pod: KubernetesObject): readonly string[] {
  return statuses(pod)
    .filter(isRunning)
    .map((status) => textAt(status, "name"));
}

function nameOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
