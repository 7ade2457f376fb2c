import assert from "node:assert/strict";
import { test } from "node:test";
import { valueAt } from "../../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { deploymentStatus, type OwnerProgress } from "./owner-status.ts";
import { RolloutProgress } from "./rollout-progress.ts";

const OLD = { ready: true, outdated: true } as const;
const NEW = { ready: true };
const NOT_READY = { ready: false };

function deployment(generation: number, kind = "Deployment"): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "api", namespace: "shop", uid: "u", generation },
    spec: { replicas: 1, progressDeadlineSeconds: 10, template: {} },
  };
}

function watched() {
  const clock = { time: 0, now: () => new Date(clock.time) };
  const rollouts = new RolloutProgress(clock);
  const owner = deployment(2);
  return {
    clock,
    isStuck: (pods: OwnerProgress["pods"], { busy = true, observed = 2, of = owner } = {}) =>
      rollouts.isStuck(of, { pods, observedGeneration: observed }, busy),
  };
}

test("what does not come on for as long as the Deployment says is stuck, and no more once it does", () => {
  const { clock, isStuck } = watched();
  assert.equal(isStuck([OLD, NOT_READY]), false);
  clock.time = 10_000;
  assert.equal(isStuck([OLD, NOT_READY]), false);
  clock.time = 10_001;
  assert.equal(isStuck([OLD, NOT_READY]), true);
  assert.equal(isStuck([OLD, NEW]), false, "a step was taken");
  clock.time = 20_000;
  assert.equal(isStuck([NEW]), false, "it is complete");
  clock.time = 40_000;
  assert.equal(isStuck([NOT_READY]), false, "its time begins anew");
});

test("a pod that has not been ready for long enough is ready, and not available", () => {
  const status = deploymentStatus(deployment(2), {
    pods: [{ ready: true, isNew: true }],
    observedGeneration: 2,
  });
  assert.deepEqual(
    ["readyReplicas", "availableReplicas", "unavailableReplicas"].map((field) => status[field]),
    [1, undefined, 1],
  );
  assert.equal(valueAt(status, ["conditions", 0, "status"]), "False");
  assert.equal(valueAt(status, ["conditions", 1, "reason"]), "ReplicaSetUpdated");
});

test("what the mesh has given up is stuck at once", () => {
  const { isStuck } = watched();
  assert.equal(isStuck([OLD]), false);
  assert.equal(isStuck([OLD], { busy: false }), true);
  assert.equal(isStuck([OLD], { busy: false, observed: 1 }), false, "it does not know of it yet");
  const of = deployment(2, "StatefulSet");
  assert.equal(isStuck([OLD], { busy: false, of }), false, "it has no such deadline");
});

const statuses: readonly [
  what: string,
  progress: Omit<OwnerProgress, "observedGeneration"> & { readonly observed?: number },
  expected: { readonly updated?: number; readonly replicas: number; readonly reason: string },
][] = [
  ["not taken up yet", { pods: [OLD], observed: 1 }, { replicas: 1, reason: "ReplicaSetUpdated" }],
  ["taken up", { pods: [OLD] }, { replicas: 1, reason: "ReplicaSetUpdated" }],
  [
    "under way",
    { pods: [OLD, NOT_READY] },
    { replicas: 2, updated: 1, reason: "ReplicaSetUpdated" },
  ],
  [
    "old pods still end",
    { pods: [OLD, NEW] },
    { replicas: 2, updated: 1, reason: "ReplicaSetUpdated" },
  ],
  ["complete", { pods: [NEW] }, { replicas: 1, updated: 1, reason: "NewReplicaSetAvailable" }],
  [
    "stuck",
    { pods: [OLD, NOT_READY], stuck: true },
    { replicas: 2, updated: 1, reason: "ProgressDeadlineExceeded" },
  ],
];

for (const [what, { observed = 2, ...progress }, { updated, replicas, reason }] of statuses)
  test(`the status of a rollout that is ${what}`, () => {
    const status = deploymentStatus(deployment(2), { ...progress, observedGeneration: observed });
    assert.deepEqual(
      [status["updatedReplicas"], status["replicas"], valueAt(status, ["conditions", 1, "reason"])],
      [updated, replicas, reason],
    );
  });
