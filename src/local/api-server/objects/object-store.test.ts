import assert from "node:assert/strict";
import { test } from "node:test";
import { put, servedKind, stageStore } from "../../../../test/kit/api-server-stage.ts";
import { createDeferred } from "../../../runtime/deferred.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { CommittedChange } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { prepareCreate } from "./prepare-create.ts";
import { prepareDelete } from "./prepare-delete.ts";
import { prepareUpdate } from "./prepare-update.ts";
import { StatusError } from "./status-error.ts";

const CONFIG_MAP = servedKind("ConfigMap");
const configMap = (name: string, data: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});
const place = (name: string) => ({ kind: CONFIG_MAP, namespace: "default", name });

function rewrite(store: ObjectStore, name: string, data: Record<string, string>): KubernetesObject {
  return store.commit(
    prepareUpdate(store, { ...place(name), rewrite: (live) => ({ ...live, data }) }),
  );
}

test("every change has a version of its own, that of no change is that of before", () => {
  const store = stageStore();
  const made = put(store, configMap("one"));
  const changed = rewrite(store, "one", { a: "1" });
  assert.ok(Number(changed.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
  assert.equal(changed.metadata.uid, made.metadata.uid);
  assert.equal(rewrite(store, "one", { a: "1" }), changed);
  assert.equal(String(store.resourceVersion), changed.metadata.resourceVersion);
});

test("a list of an earlier version is what it was then", () => {
  const store = stageStore();
  put(store, configMap("one", { a: "1" }));
  put(store, configMap("two"));
  const then = store.resourceVersion;
  const before = store.list(CONFIG_MAP, "default");
  rewrite(store, "one", { a: "2" });
  store.commit(prepareDelete(store, place("two")));
  put(store, configMap("three"));
  assert.deepEqual(
    store.listAt(CONFIG_MAP, { namespace: "default", resourceVersion: then }),
    before,
  );
  assert.deepEqual(
    store.list(CONFIG_MAP).map(({ metadata }) => metadata.name),
    ["one", "three"],
  );
});

test("what is beyond the window is forgotten, and told to be", () => {
  const store = stageStore({ window: { changes: 4, bytes: 1_000_000 } });
  const start = store.resourceVersion;
  put(store, configMap("one"));
  for (let count = 0; count < 10; count++) rewrite(store, "one", { count: String(count) });
  assert.equal(store.changesSince(start), undefined);
  assert.equal(store.listAt(CONFIG_MAP, { resourceVersion: start }), undefined);
  const recent = store.changesSince(store.resourceVersion - 4);
  assert.equal(recent?.length, 4);
});

test("large changes are forgotten sooner", () => {
  const store = stageStore({ window: { changes: 100, bytes: 10_000 } });
  put(store, configMap("one"));
  for (let count = 0; count < 10; count++)
    rewrite(store, "one", { count: String(count), long: "x".repeat(3_000) });
  const { resourceVersion } = store;
  assert.equal(store.changesSince(resourceVersion - 3)?.length, 3);
  assert.equal(store.changesSince(resourceVersion - 4), undefined);
  rewrite(store, "one", { long: "x".repeat(30_000) });
  assert.equal(store.changesSince(resourceVersion)?.length, 1, "the newest is always kept");
});

test("a change of what somebody else has changed meanwhile is refused", () => {
  const store = stageStore();
  put(store, configMap("one"));
  const stale = prepareUpdate(store, {
    ...place("one"),
    rewrite: (live) => ({ ...live, data: { mine: "1" } }),
  });
  rewrite(store, "one", { yours: "1" });
  assert.throws(
    () => store.commit(stale),
    (error) => error instanceof StatusError && error.reason === "Conflict",
  );
});

test("a submitted change is prepared again when the mesh wrote while the gate thought", async () => {
  const asked = createDeferred<void>();
  const answer = createDeferred<void>();
  let questions = 0;
  const store = stageStore({
    admit: async () => {
      questions++;
      asked.resolve();
      await answer.promise;
      return { warnings: ["thought about"] };
    },
  });
  put(store, configMap("one", { theirs: "0" }));
  const submitted = store.submit(() =>
    prepareUpdate(store, {
      ...place("one"),
      rewrite: (live) => ({ ...live, data: { ...(live["data"] as object), mine: "1" } }),
    }),
  );
  await asked.promise;
  rewrite(store, "one", { theirs: "1" });
  answer.resolve();
  const { object, warnings } = await submitted;
  assert.deepEqual(object["data"], { theirs: "1", mine: "1" });
  assert.deepEqual(warnings, ["thought about"]);
  assert.equal(questions, 2);
});

test("the gate judges one change after the other", async () => {
  const seen: string[] = [];
  const store: ObjectStore = stageStore({
    admit: async ({ name }) => {
      seen.push(`${name}: ${store.list(CONFIG_MAP).length}`);
      await Promise.resolve();
      return { warnings: [] };
    },
  });
  const make = (name: string): Promise<unknown> =>
    store.submit(() =>
      prepareCreate(store, { kind: CONFIG_MAP, namespace: "default", object: configMap(name) }),
    );
  await Promise.all([make("one"), make("two"), make("three")]);
  assert.deepEqual(seen, ["one: 0", "two: 1", "three: 2"]);
});

test("what the gate refuses, or is only tried, changes nothing", async () => {
  const store = stageStore({
    admit: async ({ name }) => {
      if (name === "bad") throw new StatusError(403, "Forbidden", { message: "no" });
      return { warnings: [] };
    },
  });
  const version = store.resourceVersion;
  const make = (name: string, dryRun: boolean) =>
    store.submit(
      () =>
        prepareCreate(store, { kind: CONFIG_MAP, namespace: "default", object: configMap(name) }),
      { dryRun },
    );
  await assert.rejects(make("bad", false), { message: "no" });
  const { object } = await make("good", true);
  assert.equal(object.metadata.name, "good");
  assert.equal(store.resourceVersion, version);
  assert.equal(store.get(place("good")), undefined);
});

test("listeners hear of changes in their order, though one of them writes too", () => {
  const store = stageStore();
  const heard: string[] = [];
  store.onChange(({ type, name }) => {
    if (type === "ADDED" && name === "one") put(store, configMap("of-one"));
  });
  store.onChange(({ type, name }: CommittedChange) => heard.push(`${type} ${name}`));
  put(store, configMap("one"));
  assert.deepEqual(heard, ["ADDED one", "ADDED of-one"]);
});

test("a listener that fails keeps nobody else from hearing", () => {
  const store = stageStore();
  const heard: string[] = [];
  store.onChange(() => {
    throw new Error("broken");
  });
  store.onChange(({ name }) => heard.push(name));
  assert.throws(() => put(store, configMap("one")), AggregateError);
  assert.deepEqual(heard, ["one"]);
  assert.ok(store.get(place("one")) !== undefined);
});

test("there is room for so many objects", () => {
  const store = stageStore({ maxObjects: 3 });
  put(store, configMap("one"));
  assert.throws(
    () => put(store, configMap("two")),
    (error) => error instanceof StatusError && error.status === 429,
  );
  store.commit(prepareDelete(store, place("one")));
  put(store, configMap("two"));
});
