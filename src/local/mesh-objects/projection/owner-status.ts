/** The `status` of what makes pods. Source: Kubernetes apps/v1 DeploymentStatus, StatefulSetStatus, batch/v1 JobStatus. */
import { createHash } from "node:crypto";
import { numberAt, objectAt, valueAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { PodFacts } from "./mesh-facts.ts";

/** How far the mesh has come with an owner. */
export interface OwnerProgress {
  /** Those that run for it. */
  readonly pods: readonly Pick<PodFacts, "ready" | "leaving">[];
  /** The newest `metadata.generation` that the mesh is in step with. */
  readonly observedGeneration: number;
}

/** As `kubectl` finds the ReplicaSet of a Deployment by: the same for the same template. */
export function templateHash(owner: KubernetesObject): string {
  const template = JSON.stringify(objectAt(owner, "spec", "template"));
  return createHash("sha256").update(template).digest("hex").slice(0, 10);
}

export function deploymentStatus(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const { total, updated, ready, isObserved } = counted(owner, progress);
  const wanted = wantedReplicas(owner);
  const isAvailable = ready >= wanted && isObserved;
  const since = owner.metadata.creationTimestamp ?? "";
  return {
    observedGeneration: progress.observedGeneration,
    ...(total > 0 && { replicas: total, updatedReplicas: isObserved ? updated : 0 }),
    ...(ready > 0 && { readyReplicas: ready, availableReplicas: ready }),
    ...(wanted > ready && { unavailableReplicas: wanted - ready }),
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
      {
        type: "Progressing",
        status: "True",
        reason: isAvailable ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
        message: `ReplicaSet "${owner.metadata.name}-${templateHash(owner)}" ${isAvailable ? "has successfully progressed" : "is progressing"}.`,
        lastUpdateTime: since,
        lastTransitionTime: since,
      },
    ],
  };
}

export function replicaSetStatus(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const { total, ready } = counted(owner, progress);
  return {
    replicas: total,
    fullyLabeledReplicas: total,
    ...(ready > 0 && { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: 1,
  };
}

export function statefulSetStatus(owner: KubernetesObject, progress: OwnerProgress): JsonObject {
  const { total, ready, isObserved } = counted(owner, progress);
  const revision = `${owner.metadata.name}-${templateHash(owner)}`;
  return {
    observedGeneration: progress.observedGeneration,
    replicas: total,
    readyReplicas: ready,
    availableReplicas: ready,
    currentReplicas: total,
    updatedReplicas: isObserved ? total : 0,
    currentRevision: revision,
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

function counted(
  owner: KubernetesObject,
  { pods, observedGeneration }: OwnerProgress,
): {
  readonly total: number;
  readonly updated: number;
  readonly ready: number;
  readonly isObserved: boolean;
} {
  const updated = pods.filter(({ leaving }) => leaving === undefined).length;
  const ready = pods.filter((pod) => pod.ready).length;
  const isObserved = observedGeneration >= (owner.metadata.generation ?? 1);
  return { total: pods.length, updated, ready, isObserved };
}

function wantedReplicas(owner: KubernetesObject): number {
  return valueAt(owner, ["spec", "replicas"]) === undefined
    ? 1
    : numberAt(owner, "spec", "replicas");
}
