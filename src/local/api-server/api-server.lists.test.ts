/** Lists and watches, and the forms they come in, over HTTPS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  apiServerStage,
  CONFIG_MAPS,
  configMap,
  type FollowedStream,
  put,
  servedKind,
  stageStore,
} from "../../../test/kit/api-server-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { listAt, objectAt, textAt, valueAt } from "./kinds/json-access.ts";
import type { JsonObject } from "./kinds/kubernetes-object.ts";
import type { ObjectStore } from "./objects/object-store.ts";
import { prepareDelete } from "./objects/prepare-delete.ts";
import { prepareUpdate } from "./objects/prepare-update.ts";

function change(store: ObjectStore, name: string, fields: JsonObject): void {
  const place = { kind: servedKind("ConfigMap"), namespace: "default", name };
  store.commit(prepareUpdate(store, { ...place, rewrite: (live) => ({ ...live, ...fields }) }));
}

function remove(store: ObjectStore, name: string): void {
  const place = { kind: servedKind("ConfigMap"), namespace: "default", name };
  store.commit(prepareDelete(store, place));
}

const namesIn = (list: JsonObject): string[] =>
  listAt(list, "items").map((item) => textAt(item, "metadata", "name"));

const told = ({ events }: FollowedStream): string[] =>
  events.map((event) => `${textAt(event, "type")} ${textAt(event, "object", "metadata", "name")}`);

test("a list in parts is the list as it was when the first part was told", async (context) => {
  const store = stageStore();
  for (const name of ["a", "b", "c", "d"]) put(store, configMap(name));
  const { ask } = await apiServerStage(context, { store });
  const first = (await ask(`${CONFIG_MAPS}?limit=2`)).body;
  assert.deepEqual(namesIn(first), ["a", "b"]);
  assert.equal(valueAt(first, ["metadata", "remainingItemCount"]), 2);
  remove(store, "c");
  put(store, configMap("c2"));
  const more = encodeURIComponent(textAt(first, "metadata", "continue"));
  const second = (await ask(`${CONFIG_MAPS}?limit=2&continue=${more}`)).body;
  assert.deepEqual(namesIn(second), ["c", "d"]);
  assert.equal(textAt(second, "metadata", "continue"), "");
  assert.deepEqual(namesIn((await ask(CONFIG_MAPS)).body), ["a", "b", "c2", "d"]);
  const version = textAt(first, "metadata", "resourceVersion");
  const exact = `${CONFIG_MAPS}?resourceVersion=${version}&resourceVersionMatch=Exact`;
  assert.deepEqual(namesIn((await ask(exact)).body), ["a", "b", "c", "d"]);
});

test("what is too long ago is gone", async (context) => {
  const store = stageStore({ window: { changes: 2, bytes: 1_000_000 } });
  put(store, configMap("a"));
  const { ask, follow } = await apiServerStage(context, { store });
  const first = (await ask(`${CONFIG_MAPS}?limit=1`)).body;
  const version = textAt(first, "metadata", "resourceVersion");
  for (let count = 0; count < 8; count++) change(store, "a", { data: { count: String(count) } });
  const exact = `${CONFIG_MAPS}?resourceVersion=${version}&resourceVersionMatch=Exact`;
  const answer = await ask(exact);
  assert.deepEqual([answer.status, answer.body["reason"]], [410, "Expired"]);
  const watch = await follow(`${CONFIG_MAPS}?watch=true&resourceVersion=${version}`);
  await watch.ended;
  assert.equal(watch.status, 200);
  assert.deepEqual(
    watch.events.map((event) => [event["type"], valueAt(event, ["object", "code"])]),
    [["ERROR", 410]],
  );
  const future = await ask(`${CONFIG_MAPS}?watch=true&resourceVersion=999999999999999`);
  assert.equal(future.status, 504);
});

test("a watch tells what is there, and every change from then on", async (context) => {
  const { ask, follow, store } = await apiServerStage(context);
  put(store, configMap("a"));
  const watch = await follow(`${CONFIG_MAPS}?watch=true`);
  change(store, "a", { data: { x: "1" } });
  put(store, { ...configMap("elsewhere"), metadata: { name: "elsewhere", namespace: "shop" } });
  const list = (await ask(CONFIG_MAPS)).body;
  remove(store, "a");
  await eventually("three changes", () => watch.events.length >= 3);
  assert.deepEqual(told(watch), ["ADDED a", "MODIFIED a", "DELETED a"]);
  const version = textAt(list, "metadata", "resourceVersion");
  const later = await follow(`${CONFIG_MAPS}?watch=true&resourceVersion=${version}`);
  await eventually("what came after the list", () => later.events.length >= 1);
  assert.deepEqual(told(later), ["DELETED a"]);
});

test("what comes into a watch's sight is added, what leaves it is deleted", async (context) => {
  const { follow, store } = await apiServerStage(context);
  put(store, configMap("a"));
  const watch = await follow(`${CONFIG_MAPS}?watch=true&labelSelector=seen%3Dyes`);
  const labels = (seen: string) => ({
    metadata: { name: "a", labels: { seen } },
  });
  change(store, "a", { data: { unseen: "1" } });
  change(store, "a", labels("yes"));
  change(store, "a", { ...labels("yes"), data: { seen: "1" } });
  change(store, "a", labels("no"));
  await eventually("three changes", () => watch.events.length >= 3);
  assert.deepEqual(told(watch), ["ADDED a", "MODIFIED a", "DELETED a"]);
});

test("a watch of one name, with all that is there first and a bookmark behind it", async (context) => {
  const { follow, store } = await apiServerStage(context);
  put(store, configMap("a"));
  put(store, configMap("b"));
  const initial =
    "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  const watch = await follow(`${CONFIG_MAPS}/a?${initial}`);
  await eventually("the bookmark", () => watch.events.length >= 2);
  assert.deepEqual(told(watch), ["ADDED a", "BOOKMARK "]);
  const bookmark = objectAt(watch.events[1] ?? {}, "object", "metadata");
  assert.deepEqual(bookmark, {
    resourceVersion: String(store.resourceVersion),
    annotations: { "k8s.io/initial-events-end": "true" },
  });
  const refused = await follow(`${CONFIG_MAPS}?watch=true&sendInitialEvents=true`);
  assert.equal(refused.status, 422);
});

test("a watch ends when its time is over", async (context) => {
  const { follow } = await apiServerStage(context);
  const watch = await follow(`${CONFIG_MAPS}?watch=true&timeoutSeconds=1`);
  await watch.ended;
  assert.deepEqual(watch.events, []);
});

test("a watch of rows tells its columns once", async (context) => {
  const { follow, store } = await apiServerStage(context);
  put(store, configMap("a"));
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const watch = await follow(`${CONFIG_MAPS}?watch=true`, { headers: { accept } });
  put(store, configMap("b"));
  await eventually("two rows", () => watch.events.length >= 2);
  const tables = watch.events.map((event) => objectAt(event, "object"));
  assert.deepEqual(
    tables.map(({ kind, columnDefinitions }) => [kind, Array.isArray(columnDefinitions)]),
    [
      ["Table", true],
      ["Table", false],
    ],
  );
  assert.equal(textAt(tables[1], "rows", 0, "object", "metadata", "name"), "b");
});

const forms: [as: string, include: string, kind: string, carried: string | undefined][] = [
  ["Table", "", "Table", "PartialObjectMetadata"],
  ["Table", "?includeObject=Object", "Table", "ConfigMap"],
  ["Table", "?includeObject=None", "Table", undefined],
  ["PartialObjectMetadataList", "", "PartialObjectMetadataList", undefined],
];
for (const [as, include, kind, carried] of forms) {
  test(`a list as ${as}${include}`, async (context) => {
    const { ask, store } = await apiServerStage(context);
    put(store, configMap("a", { data: { secret: "x" } }));
    const accept = `application/json;as=${as};v=v1;g=meta.k8s.io`;
    const { body, text } = await ask(`${CONFIG_MAPS}${include}`, { headers: { accept } });
    assert.equal(body["kind"], kind);
    assert.equal(body["apiVersion"], "meta.k8s.io/v1");
    assert.equal(valueAt(body, ["rows", 0, "object", "kind"]), carried);
    assert.equal(text.includes("secret"), carried === "ConfigMap");
  });
}

test("the form that is accepted first is given, and none that is not", async (context) => {
  const { ask } = await apiServerStage(context);
  const kindFor = async (accept: string): Promise<unknown> => {
    const { status, body } = await ask(CONFIG_MAPS, { headers: { accept } });
    return status === 200 ? body["kind"] : status;
  };
  assert.equal(await kindFor("*/*"), "ConfigMapList");
  assert.equal(
    await kindFor("application/vnd.kubernetes.protobuf,application/json"),
    "ConfigMapList",
  );
  assert.equal(
    await kindFor("application/json;as=Table;v=v9;g=meta.k8s.io,application/json"),
    "ConfigMapList",
  );
  assert.equal(await kindFor("application/vnd.kubernetes.protobuf"), 406);
  assert.equal(await kindFor("text/html"), 406);
});
