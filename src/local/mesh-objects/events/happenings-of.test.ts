import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { SERVED_KINDS } from "../../api-server/kinds/served-kinds.ts";
import type { CommittedChange } from "../../api-server/objects/object-change.ts";
import { kindOf, placeOf } from "../object-key.ts";
import { happeningsOf } from "./happenings-of.ts";

function changed(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): CommittedChange {
  const object = after ?? before;
  const kind = object && kindOf(object, SERVED_KINDS);
  if (object === undefined || kind === undefined) throw new Error("nothing has changed");
  const type = before === undefined ? "ADDED" : after === undefined ? "DELETED" : "MODIFIED";
  return { ...placeOf(object, kind), before, after, object, type, resourceVersion: 1 };
}

const told = (change: CommittedChange): readonly string[] =>
  happeningsOf(change).map(
    ({ about, type, reason, message, times }) =>
      `${type} ${reason} ${about.kind}/${about.name}${about.fieldPath ? ` ${about.fieldPath}` : ""}: ${message}${times === undefined ? "" : ` x${times}`}`,
  );

function controlledBy(kind: string, name: string): JsonObject {
  const apiVersion = kind === "Job" ? "batch/v1" : "apps/v1";
  return { apiVersion, kind, name, uid: "owner", controller: true };
}

const RUNNING = { running: {} };
const BACKING_OFF = { waiting: { reason: "CrashLoopBackOff" } };

function pod(
  state: JsonObject,
  restartCount: number = 0,
  owner: JsonObject = controlledBy("ReplicaSet", "api-1"),
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "api-0", namespace: "shop", uid: "u", ownerReferences: [owner] },
    spec: { nodeName: "here" },
    status: { containerStatuses: [{ name: "app", restartCount, state }] },
  };
}

function replicaSet(replicas: number): KubernetesObject {
  const ownerReferences = [controlledBy("Deployment", "api")];
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "api-1", namespace: "shop", ownerReferences },
    spec: { replicas },
  };
}

function job(type?: string): KubernetesObject {
  const status = type === undefined ? {} : { conditions: [{ type, status: "True" }] };
  const metadata = { name: "once", namespace: "shop", uid: "j" };
  return { apiVersion: "batch/v1", kind: "Job", metadata, status };
}

const SCHEDULED = "Normal Scheduled Pod/api-0: Successfully assigned shop/api-0 to here";
const STARTED = "Normal Started Pod/api-0 spec.containers{app}: Started container app";
const BACK_OFF =
  "Warning BackOff Pod/api-0 spec.containers{app}: Back-off restarting failed container app in pod api-0_shop(u)";

const changes: readonly [
  what: string,
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
  told: readonly string[],
][] = [
  [
    "a pod that runs as soon as it is seen",
    undefined,
    pod(RUNNING),
    [SCHEDULED, STARTED, "Normal SuccessfulCreate ReplicaSet/api-1: Created pod: api-0"],
  ],
  [
    "a pod of a StatefulSet that does not run yet",
    undefined,
    pod({}, 0, controlledBy("StatefulSet", "api")),
    [
      SCHEDULED,
      "Normal SuccessfulCreate StatefulSet/api: create Pod api-0 in StatefulSet api successful",
    ],
  ],
  ["a container that starts", pod({}), pod(RUNNING), [STARTED]],
  ["a status that says the same", pod(RUNNING, 2), pod(RUNNING, 2), []],
  ["a container that ends", pod(RUNNING), pod(BACKING_OFF), [BACK_OFF]],
  ["one that is started again after its wait", pod(BACKING_OFF), pod(RUNNING, 1), [STARTED]],
  ["one whose wait was not seen", pod(RUNNING), pod(RUNNING, 1), [BACK_OFF, STARTED]],
  ["several ends between two looks", pod(RUNNING), pod(BACKING_OFF, 3), [`${BACK_OFF} x4`]],
  ["one that ends again", pod(BACKING_OFF, 1), pod(BACKING_OFF, 2), [BACK_OFF]],
  [
    "a container that is asked to end before its pod goes",
    pod(RUNNING),
    pod({ terminated: {} }),
    ["Normal Killing Pod/api-0 spec.containers{app}: Stopping container app"],
  ],
  [
    "a Job's that is done",
    pod(RUNNING, 0, controlledBy("Job", "api")),
    pod({ terminated: {} }, 0, controlledBy("Job", "api")),
    [],
  ],
  [
    "a pod that goes, whose container was told of",
    pod({ terminated: {} }),
    undefined,
    ["Normal SuccessfulDelete ReplicaSet/api-1: Deleted pod: api-0"],
  ],
  [
    "a pod that goes",
    pod(RUNNING),
    undefined,
    [
      "Normal Killing Pod/api-0 spec.containers{app}: Stopping container app",
      "Normal SuccessfulDelete ReplicaSet/api-1: Deleted pod: api-0",
    ],
  ],
  [
    "a ReplicaSet that is made",
    undefined,
    replicaSet(2),
    ["Normal ScalingReplicaSet Deployment/api: Scaled up replica set api-1 from 0 to 2"],
  ],
  [
    "a ReplicaSet that others replace",
    replicaSet(2),
    replicaSet(0),
    ["Normal ScalingReplicaSet Deployment/api: Scaled down replica set api-1 from 2 to 0"],
  ],
  ["a ReplicaSet that nobody remembers", replicaSet(0), undefined, []],
  ["a Job that is done", job(), job("Complete"), ["Normal Completed Job/once: Job completed"]],
  [
    "a Job that is given up",
    job(),
    job("Failed"),
    ["Warning BackoffLimitExceeded Job/once: Job has reached the specified backoff limit"],
  ],
  ["a Job that was done before", job("Complete"), job("Complete"), []],
];

for (const [what, before, after, expected] of changes)
  test(what, () => assert.deepEqual(told(changed(before, after)), expected));
