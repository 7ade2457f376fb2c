/** What goes, or stays, with an object that is deleted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { collectDependents } from "./collect-dependents.ts";
import { emptyNamespaces } from "./empty-namespaces.ts";
import type { ObjectStore } from "./object-store.ts";
import { prepareCreate } from "./prepare-create.ts";
import { type Propagation, prepareDelete } from "./prepare-delete.ts";
import { StatusError } from "./status-error.ts";

const CONFIG_MAP = servedKind("ConfigMap");

function configMap(
  store: ObjectStore,
  name: string,
  owners: readonly KubernetesObject[] = [],
  metadata: KubernetesObject["metadata"] = {},
): KubernetesObject {
  return put(store, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...metadata,
      name,
      ownerReferences: owners.map((owner) => ({
        apiVersion: owner.apiVersion,
        kind: owner.kind,
        name: owner.metadata.name,
        uid: owner.metadata.uid,
        blockOwnerDeletion: true,
      })),
    },
  });
}

const names = (store: ObjectStore): (string | undefined)[] =>
  store.list(CONFIG_MAP).map(({ metadata }) => metadata.name);

function remove(store: ObjectStore, name: string, propagation?: Propagation): KubernetesObject {
  const place = { kind: CONFIG_MAP, namespace: "default", name };
  return store.commit(
    prepareDelete(store, { ...place, ...(propagation === undefined ? {} : { propagation }) }),
  );
}

/** `set` owns `pod`, which owns `claim`. */
function family(): ObjectStore {
  const store = stageStore();
  collectDependents(store);
  const set = configMap(store, "set");
  const pod = configMap(store, "pod", [set]);
  configMap(store, "claim", [pod]);
  configMap(store, "other");
  return store;
}

const cases: [propagation: Propagation | undefined, left: string[]][] = [
  [undefined, ["other"]],
  ["Background", ["other"]],
  ["Foreground", ["other"]],
  ["Orphan", ["claim", "other", "pod"]],
];
for (const [propagation, left] of cases) {
  test(`${propagation ?? "as usual"}: ${left.join(", ")} stay`, () => {
    const store = family();
    remove(store, "set", propagation);
    assert.deepEqual(names(store), left);
  });
}

test("an orphan names no owner", () => {
  const store = family();
  remove(store, "set", "Orphan");
  const pod = store.get({ kind: CONFIG_MAP, namespace: "default", name: "pod" });
  assert.equal(pod?.metadata.ownerReferences, undefined);
});

test("whoever has another owner stays with that one", () => {
  const store = stageStore();
  collectDependents(store);
  const [one, two] = [configMap(store, "one"), configMap(store, "two")];
  configMap(store, "shared", [one, two]);
  remove(store, "one");
  assert.deepEqual(names(store), ["shared", "two"]);
  remove(store, "two");
  assert.deepEqual(names(store), []);
});

test("in the foreground, an owner goes after the last that keeps it", () => {
  const store = stageStore();
  collectDependents(store);
  const set = configMap(store, "set");
  configMap(store, "slow", [set], { finalizers: ["example.com/wait"] });
  const going = remove(store, "set", "Foreground");
  assert.deepEqual(going.metadata.finalizers, ["foregroundDeletion"]);
  assert.deepEqual(names(store), ["set", "slow"]);
  const slow = store.get({ kind: CONFIG_MAP, namespace: "default", name: "slow" });
  assert.ok(slow?.metadata.deletionTimestamp !== undefined);
  const place = { kind: CONFIG_MAP, namespace: "default", name: "slow" };
  store.commit({ ...place, before: slow, after: undefined });
  assert.deepEqual(names(store), []);
});

test("objects that name themselves, or each other, as owners go too", () => {
  const store = stageStore();
  const one = configMap(store, "one");
  const two = configMap(store, "two", [one]);
  const { uid } = two.metadata;
  const before = store.get({ kind: CONFIG_MAP, namespace: "default", name: "one" });
  assert.ok(before !== undefined);
  const place = { kind: CONFIG_MAP, namespace: "default", name: "one" };
  const metadata = { ...before.metadata, ownerReferences: [{ uid }] };
  store.commit({ ...place, before, after: { ...before, metadata } });
  collectDependents(store);
  remove(store, "one");
  assert.deepEqual(names(store), []);
});

test("owners that are nonsense hurt nobody", () => {
  const store = stageStore();
  collectDependents(store);
  put(store, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "odd", ownerReferences: [{ uid: "" }, { uid: "gone" }, {}] },
  });
  remove(store, "odd");
  assert.deepEqual(names(store), []);
});

test("a namespace takes what is in it with it, and goes last", () => {
  const store = stageStore();
  collectDependents(store);
  emptyNamespaces(store);
  put(store, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "shop" } });
  put(store, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "slow", namespace: "shop", finalizers: ["example.com/wait"] },
  });
  configMap(store, "elsewhere");
  const heard: string[] = [];
  store.onChange(({ type, name }) => heard.push(`${type} ${name}`));
  const namespaces = servedKind("Namespace");
  const shop = { kind: namespaces, namespace: "", name: "shop" };
  store.commit(prepareDelete(store, shop));
  assert.deepEqual(store.get(shop)?.["status"], { phase: "Terminating" });
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "late" } };
  assert.throws(
    () => prepareCreate(store, { kind: CONFIG_MAP, namespace: "shop", object }),
    (error) => error instanceof StatusError && error.status === 403,
  );
  const slow = { kind: servedKind("Secret"), namespace: "shop", name: "slow" };
  store.commit({ ...slow, before: store.get(slow), after: undefined });
  assert.equal(store.get(shop), undefined);
  assert.deepEqual(heard, [
    "MODIFIED shop",
    "DELETED a",
    "MODIFIED slow",
    "DELETED slow",
    "DELETED shop",
  ]);
  assert.deepEqual(names(store), ["elsewhere"]);
});

test("an empty namespace goes at once", () => {
  const store = stageStore();
  emptyNamespaces(store);
  const shop = { kind: servedKind("Namespace"), namespace: "", name: "shop" };
  store.commit(prepareDelete(store, shop));
  assert.equal(store.get(shop), undefined);
});
