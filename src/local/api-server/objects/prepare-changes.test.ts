import assert from "node:assert/strict";
import { test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { prepareCreate } from "./prepare-create.ts";
import { type Deletion, prepareDelete } from "./prepare-delete.ts";
import { prepareUpdate } from "./prepare-update.ts";
import { StatusError } from "./status-error.ts";

const CONFIG_MAP = servedKind("ConfigMap");
const DEPLOYMENT = servedKind("Deployment");
const PEER_AUTHENTICATION = servedKind("PeerAuthentication");

const deployment = (name: string, extra: JsonObject = {}): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: {} },
  ...extra,
});

function refusal(work: () => unknown): StatusError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  assert.fail("nothing was refused");
}

const create = (store: ObjectStore, metadata: JsonObject, namespace = "default") =>
  prepareCreate(store, {
    kind: CONFIG_MAP,
    namespace,
    object: { apiVersion: "v1", kind: "ConfigMap", metadata },
  });

const refused: [what: string, metadata: JsonObject, namespace: string, told: RegExp][] = [
  ["no name", {}, "default", /name or generateName is required/],
  ["a bad name", { name: "A_b" }, "default", /ConfigMap "A_b" is invalid: metadata\.name/],
  ["a long name", { name: "a".repeat(254) }, "default", /no more than 253 characters/],
  ["a bad label", { name: "a", labels: { "a/b/c": "x" } }, "default", /metadata\.labels/],
  ["a bad label's value", { name: "a", labels: { a: "x y" } }, "default", /a valid label must/],
  ["a long label", { name: "a", labels: { a: "x".repeat(64) } }, "default", /63 characters/],
  ["a bad finalizer", { name: "a", finalizers: ["a b"] }, "default", /metadata\.finalizers/],
  ["no finalizer", { name: "a", finalizers: [null] }, "default", /name part must be non-empty/],
  [
    "annotations that are too large",
    { name: "a", annotations: { a: "x".repeat(262_144) } },
    "default",
    /Too long: may not be more than 262144 bytes/,
  ],
  [
    "a version",
    { name: "a", resourceVersion: "1" },
    "default",
    /resourceVersion should not be set/,
  ],
  ["no such namespace", { name: "a" }, "nowhere", /^namespaces "nowhere" not found$/],
  ["a taken name", { name: "taken" }, "default", /^configmaps "taken" already exists$/],
];
for (const [what, metadata, namespace, told] of refused) {
  test(`create is refused: ${what}`, () => {
    const store = stageStore();
    put(store, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "taken" } });
    assert.match(refusal(() => create(store, metadata, namespace)).message, told);
  });
}

test("servers write what servers write, whatever the client says", () => {
  const store = stageStore({ newUid: () => "uid-1" });
  const { after } = create(store, {
    name: "a",
    uid: "mine",
    generation: 7,
    creationTimestamp: "2000-01-01T00:00:00Z",
    deletionTimestamp: "2000-01-01T00:00:00Z",
    selfLink: "/x",
  });
  const { creationTimestamp, ...metadata } = after?.metadata ?? {};
  assert.match(creationTimestamp ?? "", /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.notEqual(creationTimestamp, "2000-01-01T00:00:00Z");
  assert.deepEqual(metadata, { name: "a", namespace: "default", uid: "uid-1" });
});

test("generateName is completed by five characters, and cut where it is long", () => {
  const store = stageStore();
  const made = create(store, { generateName: "job-" });
  assert.match(made.name, /^job-[bcdfghjklmnpqrstvwxz2-9]{5}$/);
  assert.equal(create(store, { generateName: "x".repeat(80) }).name.length, 63);
});

test("the status of a new object is not its maker's", () => {
  const store = stageStore();
  const object = deployment("web", { status: { replicas: 9 } });
  const made = prepareCreate(store, { kind: DEPLOYMENT, namespace: "default", object });
  assert.deepEqual(made.after?.["status"], {});
  assert.equal(made.after?.metadata.generation, 1);
});

test("generation counts what is wanted, not metadata, not status", () => {
  const store = stageStore();
  put(store, deployment("web"));
  const place = { kind: DEPLOYMENT, namespace: "default", name: "web" };
  const change = (
    part: "status" | undefined,
    alter: (live: KubernetesObject) => KubernetesObject,
  ) =>
    store.commit(
      prepareUpdate(store, { ...place, rewrite: alter, ...(part === undefined ? {} : { part }) }),
    ).metadata.generation;
  const labelled = (live: KubernetesObject): KubernetesObject => ({
    ...live,
    metadata: { ...live.metadata, labels: { a: "b" } },
  });
  assert.equal(change(undefined, labelled), 1);
  assert.equal(
    change("status", (live) => ({ ...live, status: { replicas: 1 } })),
    1,
  );
  const scaled = (live: KubernetesObject): KubernetesObject => ({
    ...live,
    spec: { ...(live["spec"] as JsonObject), replicas: 3 },
  });
  assert.equal(change(undefined, scaled), 2);
  assert.equal(change("status", scaled), 2, "a status leaves the rest alone");
  const live = store.get(place);
  assert.deepEqual(live?.["status"], { replicas: 1 }, "who writes the rest leaves the status");
});

test("the metadata of a custom kind is not written by its status", () => {
  const store = stageStore();
  put(store, {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "strict" },
    spec: {},
  });
  const changed = store.commit(
    prepareUpdate(store, {
      kind: PEER_AUTHENTICATION,
      namespace: "default",
      name: "strict",
      part: "status",
      rewrite: (live) => ({
        ...live,
        metadata: { ...live.metadata, labels: { a: "b" } },
        status: { told: "yes" },
      }),
    }),
  );
  assert.equal(changed.metadata.labels, undefined);
  assert.deepEqual(changed["status"], { told: "yes" });
});

test("an update from an earlier version, or of another object, is a conflict", () => {
  const store = stageStore();
  const made = put(store, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  const update = (metadata: JsonObject) =>
    refusal(() =>
      prepareUpdate(store, {
        kind: CONFIG_MAP,
        namespace: "default",
        name: "a",
        rewrite: (live) => ({ ...live, metadata: { ...live.metadata, ...metadata } }),
      }),
    );
  assert.equal(
    update({ resourceVersion: "1" }).message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  );
  assert.match(
    update({ uid: "other" }).message,
    new RegExp(`UID in object meta: ${made.metadata.uid}`),
  );
});

test("what Kubernetes keeps as it was made is kept", () => {
  const store = stageStore();
  put(store, deployment("web"));
  put(store, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "sealed" },
    immutable: true,
    data: { a: "1" },
  });
  const change = (kind: typeof DEPLOYMENT, name: string, fields: JsonObject) =>
    refusal(() =>
      prepareUpdate(store, {
        kind,
        namespace: "default",
        name,
        rewrite: (live) => ({ ...live, ...fields }),
      }),
    ).message;
  assert.match(
    change(DEPLOYMENT, "web", { spec: { selector: { matchLabels: { app: "x" } }, template: {} } }),
    /spec\.selector: Invalid value: .*: field is immutable/,
  );
  assert.match(
    change(CONFIG_MAP, "sealed", { data: { a: "2" } }),
    /data: Forbidden: field is immutable when `immutable` is set/,
  );
});

test("an object with finalizers waits for them, and goes with the last", () => {
  const store = stageStore();
  const object = deployment("web", { metadata: { name: "web", finalizers: ["a.b/c"] } });
  put(store, object);
  const place = { kind: DEPLOYMENT, namespace: "default", name: "web" };
  const going = store.commit(prepareDelete(store, place));
  assert.ok(going.metadata.deletionTimestamp !== undefined);
  assert.equal(going.metadata.generation, 2);
  const finalizers = (names: readonly string[]) => (live: KubernetesObject) => ({
    ...live,
    metadata: { ...live.metadata, finalizers: names },
  });
  const added = refusal(() =>
    prepareUpdate(store, { ...place, rewrite: finalizers(["a.b/c", "d.e/f"]) }),
  );
  assert.match(added.message, /no new finalizers can be added if the object is being deleted/);
  const gone = store.commit(prepareUpdate(store, { ...place, rewrite: finalizers([]) }));
  assert.deepEqual(gone.metadata.finalizers, [], "it is told as it was when it went");
  assert.equal(store.get(place), undefined);
});

test("a pod that runs has its time to end, one that does not goes at once", () => {
  const store = stageStore();
  const pod = (name: string, spec: JsonObject): KubernetesObject =>
    put(store, { apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
  pod("runs", { nodeName: "here", terminationGracePeriodSeconds: 5 });
  pod("waits", {});
  const remove = (name: string, deletion: Partial<Deletion> = {}): KubernetesObject =>
    store.commit(
      prepareDelete(store, { kind: servedKind("Pod"), namespace: "default", name, ...deletion }),
    );
  assert.equal(remove("runs").metadata.deletionGracePeriodSeconds, 5);
  assert.equal(remove("runs").metadata.deletionGracePeriodSeconds, 5, "asked again");
  assert.equal(remove("runs", { gracePeriodSeconds: 1 }).metadata.deletionGracePeriodSeconds, 1);
  remove("waits");
  remove("runs", { gracePeriodSeconds: 0 });
  assert.deepEqual(store.list(servedKind("Pod")), []);
});

test("preconditions hold, or nothing goes", () => {
  const store = stageStore();
  const made = put(store, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  const place = { kind: CONFIG_MAP, namespace: "default", name: "a" };
  for (const preconditions of [{ uid: "x" }, { resourceVersion: "1" }]) {
    const { reason } = refusal(() => prepareDelete(store, { ...place, preconditions }));
    assert.equal(reason, "Conflict");
  }
  const { uid = "", resourceVersion = "" } = made.metadata;
  const { after } = prepareDelete(store, { ...place, preconditions: { uid, resourceVersion } });
  assert.equal(after, undefined);
});

test("some namespaces stay", () => {
  const store = stageStore();
  const place = { kind: servedKind("Namespace"), namespace: "", name: "default" };
  assert.equal(
    refusal(() => prepareDelete(store, place)).message,
    'namespaces "default" is forbidden: this namespace may not be deleted',
  );
});

test("a Job finds its pods by its uid", () => {
  const store = stageStore({ newUid: () => "uid-1" });
  const object = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "once" },
    spec: { template: { metadata: { labels: { own: "x" } }, spec: {} } },
  };
  const { after } = prepareCreate(store, { kind: servedKind("Job"), namespace: "default", object });
  assert.equal(after?.metadata.labels?.["batch.kubernetes.io/controller-uid"], "uid-1");
  assert.deepEqual(after?.["spec"], {
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "uid-1" } },
    template: {
      metadata: {
        labels: {
          own: "x",
          "batch.kubernetes.io/controller-uid": "uid-1",
          "batch.kubernetes.io/job-name": "once",
          "controller-uid": "uid-1",
          "job-name": "once",
        },
      },
      spec: {},
    },
  });
});
