/** The `status` of what makes pods. Source: Kubernetes apps/v1 DeploymentStatus, StatefulSetStatus, batch/v1 JobStatus. */
import { numberAt, textAt, valueAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { isPaused } from "../paused-deployment.ts";
import { templateHash } from "../revisions.ts";
import type { PodFacts } from "./mesh-facts.ts";

export interface OwnedPod extends Pick<PodFacts, "ready" | "outdated"> {
  /** It is ready, and not for as long as its owner demands. */
  readonly isNew?: boolean;
}

/** How far the mesh has come with an owner. */
export interface OwnerProgress {
  /** Those that run for it. */
  readonly pods: readonly OwnedPod[];
  /** The newest `metadata.generation` that the mesh has taken up. */
  readonly observedGeneration: number;
  /** That its rollout does not come on: for too long, or since it was given up. */
  readonly stuck?: boolean;
}

export function deploymentStatus(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const { total, updated, ready, available } = counted(owner, progress);
  const wanted = wantedReplicas(owner);
  const isAvailable = available >= wanted && isObserved(owner, progress);
  const since = owner.metadata.creationTimestamp ?? "";
  return {
    observedGeneration: progress.observedGeneration,
    ...(total > 0 && { replicas: total }),
    ...(updated > 0 && { updatedReplicas: updated }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    ...(wanted > available && { unavailableReplicas: wanted - available }),
    conditions: [
      {
        type: "Available",
        status: isAvailable ? "True" : "False",
        reason: isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        message: isAvailable
          ? "Deployment has minimum availability."
          : "Deployment does not have minimum availability.",
        lastUpdateTime: since,
        lastTransitionTime: since,
      },
      { ...progressing(owner, progress), lastUpdateTime: since, lastTransitionTime: since },
    ],
  };
}

/** What `kubectl rollout status` gives up on. Source: pkg/controller/deployment/progress.go. */
function progressing(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const type = "Progressing";
  const set = `ReplicaSet "${owner.metadata.name}-${templateHash(owner)}"`;
  if (isPaused(owner))
    return { type, status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" };
  if (isComplete(owner, progress)) {
    const message = `${set} has successfully progressed.`;
    return { type, status: "True", reason: "NewReplicaSetAvailable", message };
  }
  if (progress.stuck === true) {
    const message = `${set} has timed out progressing.`;
    return { type, status: "False", reason: "ProgressDeadlineExceeded", message };
  }
  const message = `${set} is progressing.`;
  return { type, status: "True", reason: "ReplicaSetUpdated", message };
}

/** All its pods are as they are wanted, and serve. */
export function isComplete(owner: KubernetesObject, progress: OwnerProgress): boolean {
  const { total, updated, available } = counted(owner, progress);
  const wanted = wantedReplicas(owner);
  const isAll = updated === wanted && total === wanted && available >= wanted;
  return isAll && isObserved(owner, progress);
}

export function replicaSetStatus({
  total,
  ready,
}: {
  readonly total: number;
  readonly ready: number;
}): JsonObject {
  return {
    replicas: total,
    ...(total > 0 && { fullyLabeledReplicas: total }),
    ...(ready > 0 && { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: 1,
  };
}

export function statefulSetStatus(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const { total, updated, ready, available } = counted(owner, progress);
  const revision = `${owner.metadata.name}-${templateHash(owner)}`;
  const isDone = updated === total && isObserved(owner, progress);
  const before = textAt(owner, "status", "currentRevision");
  return {
    observedGeneration: progress.observedGeneration,
    replicas: total,
    readyReplicas: ready,
    availableReplicas: available,
    currentReplicas: isDone ? total : total - updated,
    updatedReplicas: updated,
    currentRevision: isDone ? revision : before || revision,
    updateRevision: revision,
    collisionCount: 0,
  };
}

/** @param phases of its pods, as `status.phase` of each has it */
export function jobStatus(
  owner: KubernetesObject,
  { phases, startedAt }: { readonly phases: readonly string[]; readonly startedAt: string },
): JsonObject {
  const count = (phase: string): number => phases.filter((one) => one === phase).length;
  const [succeeded, failed] = [count("Succeeded"), count("Failed")];
  const active = phases.length - succeeded - failed;
  const end = succeeded > 0 ? "Complete" : failed > 0 ? "Failed" : undefined;
  const before = valueAt(owner, ["status", "completionTime"]);
  return {
    startTime: startedAt,
    ...(active > 0 && { active, ready: active }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(end !== undefined && {
      completionTime: before ?? startedAt,
      conditions: [{ type: end, status: "True", lastTransitionTime: before ?? startedAt }],
    }),
  };
}

/** Before the mesh has taken up what is wanted now, none is as that says. */
function counted(
  owner: KubernetesObject,
  progress: OwnerProgress,
): Readonly<Record<"total" | "updated" | "ready" | "available", number>> {
  const { pods } = progress;
  const current = pods.filter(({ outdated }) => outdated !== true).length;
  const updated = isObserved(owner, progress) ? current : 0;
  const ready = pods.filter((pod) => pod.ready);
  const available = ready.filter(({ isNew }) => isNew !== true).length;
  return { total: pods.length, updated, ready: ready.length, available };
}

function isObserved(owner: KubernetesObject, { observedGeneration }: OwnerProgress): boolean {
  return observedGeneration >= (owner.metadata.generation ?? 1);
}

function wantedReplicas(owner: KubernetesObject): number {
  return valueAt(owner, ["spec", "replicas"]) === undefined
    ? 1
    : numberAt(owner, "spec", "replicas");
}
