import assert from "node:assert/strict";
import { test } from "node:test";
import { apiServerStage, post, servedKind } from "../../../../test/kit/api-server-stage.ts";
import { valueAt } from "../kinds/json-access.ts";

const CORE = "/api/v1/namespaces/default/events";
const LATER = "/apis/events.k8s.io/v1/namespaces/default/events";
const PATCH = { "content-type": "application/merge-patch+json" };

const core = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "one" },
  involvedObject: { kind: "Pod", namespace: "default", name: "api-0" },
  reason: "Killing",
  message: "Stopping container app",
  source: { component: "kubelet" },
  count: 2,
  type: "Normal",
};

test("an Event of either group is in the other, under that group's names", async (context) => {
  const { ask, store } = await apiServerStage(context);
  assert.equal((await ask(CORE, post(core))).status, 201);
  const { body } = await ask(`${LATER}/one`);
  assert.deepEqual(
    [body["regarding"], body["note"], body["deprecatedCount"], body["deprecatedSource"]],
    [core.involvedObject, core.message, 2, core.source],
  );
  assert.equal(body["message"], undefined);

  const patch = { method: "PATCH", headers: PATCH, body: { note: "otherwise" } };
  assert.equal((await ask(`${LATER}/one`, patch)).status, 200);
  assert.equal((await ask(`${CORE}/one`)).body["message"], "otherwise");

  const selected = await ask(`${LATER}?fieldSelector=regarding.name%3Dapi-0`);
  assert.equal((selected.body["items"] as readonly unknown[]).length, 1);

  assert.equal((await ask(`${LATER}/one`, { method: "DELETE" })).status, 200);
  assert.equal((await ask(`${CORE}/one`)).status, 404);
  for (const group of ["", "events.k8s.io"])
    assert.equal(store.list(servedKind("Event", group)).length, 0);
});

test("both groups print the same table", async (context) => {
  const { ask } = await apiServerStage(context);
  await ask(CORE, post(core));
  const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const [one, other] = await Promise.all([CORE, LATER].map((path) => ask(path, { headers })));
  const cells = (table: typeof one): unknown => valueAt(table?.body, ["rows", 0, "cells"]);
  assert.ok(Array.isArray(cells(one)));
  assert.deepEqual(cells(one), cells(other));
});
