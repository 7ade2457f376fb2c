/** What a client that has the token may send, so that the others go on being served. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  apiServerStage,
  CONFIG_MAPS,
  configMap,
  post,
  put,
  stageStore,
} from "../../../test/kit/api-server-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const YAML = { "content-type": "application/yaml" };
const dataOf = (count: number, prefix = "k"): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, ""]));

test("an object holds so many values, also when it comes to them by patches", async (context) => {
  const { ask } = await apiServerStage(context);
  const told = await ask(CONFIG_MAPS, post(configMap("large", { data: dataOf(20_001) })));
  assert.deepEqual([told.status, told.body["reason"]], [413, "RequestEntityTooLarge"]);
  const first = await ask(CONFIG_MAPS, post(configMap("grown", { data: dataOf(12_000) })));
  assert.equal(first.status, 201);
  const more = { method: "PATCH", headers: MERGE, body: { data: dataOf(12_000, "more") } };
  assert.equal((await ask(`${CONFIG_MAPS}/grown`, more)).status, 413);
  const whole = await ask(`${CONFIG_MAPS}/grown`);
  const again = await ask(`${CONFIG_MAPS}/grown`, { method: "PUT", body: whole.text });
  assert.equal(again.status, 200, "what a client reads, with its managers, it may send back");
});

test("a patch makes nothing deeper than a body may be", async (context) => {
  const { ask } = await apiServerStage(context);
  await ask(CONFIG_MAPS, post(configMap("deep")));
  const nested = (depth: number): string => `${'{"x":'.repeat(depth)}1${"}".repeat(depth)}`;
  const steps = `[{"op":"add","path":"/z","value":${nested(60)}},{"op":"copy","from":"/z","path":"/z${"/x".repeat(60)}"}]`;
  const headers = { "content-type": "application/json-patch+json" };
  const answer = await ask(`${CONFIG_MAPS}/deep`, { method: "PATCH", headers, body: steps });
  assert.equal(answer.status, 400);
  assert.match(String(answer.body["message"]), /nested deeper/);
});

test("YAML is read up to half a megabyte", async (context) => {
  const { ask } = await apiServerStage(context);
  const text = (bytes: number): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a${bytes}}\ndata:\n  a: ${"x".repeat(bytes)}\n`;
  const send = (bytes: number) =>
    ask(CONFIG_MAPS, { method: "POST", body: text(bytes), headers: YAML });
  assert.equal((await send(500_000)).status, 201);
  assert.equal((await send(600_000)).status, 413);
});

test("of many faults the first hundred are told", async (context) => {
  const { ask } = await apiServerStage(context);
  const labels = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`!${at}`, ""]));
  const metadata = { name: "faulty", labels };
  const answer = await ask(CONFIG_MAPS, post({ ...configMap("faulty"), metadata }));
  assert.equal(answer.status, 422);
  const { causes } = answer.body["details"] as { readonly causes: readonly unknown[] };
  assert.equal(causes.length, 100);
  assert.match(String(answer.body["message"]), /and 4900 more\]$/);
});

test("an object has so many bytes", async (context) => {
  const { ask } = await apiServerStage(context);
  const sized = (bytes: number) =>
    ask(CONFIG_MAPS, post(configMap(`sized-${bytes}`, { data: { a: "x".repeat(bytes) } })));
  assert.equal((await sized(1_500_000)).status, 201);
  const told = await sized(1_600_000);
  assert.deepEqual([told.status, told.body["reason"]], [413, "RequestEntityTooLarge"]);
});

test("all objects together have so many bytes; what shrinks or goes makes room", async (context) => {
  const { ask } = await apiServerStage(context, { store: stageStore({ maxBytes: 100_000 }) });
  const data = { a: "x".repeat(40_000) };
  const make = (name: string) => ask(CONFIG_MAPS, post(configMap(name, { data })));
  assert.deepEqual([(await make("a")).status, (await make("b")).status], [201, 201]);
  const told = await make("c");
  assert.deepEqual([told.status, told.body["reason"]], [429, "TooManyRequests"]);
  const smaller = { method: "PATCH", headers: MERGE, body: { data: { a: "x" } } };
  assert.equal((await ask(`${CONFIG_MAPS}/a`, smaller)).status, 200);
  assert.equal((await make("c")).status, 201);
  assert.equal((await make("d")).status, 429);
  assert.equal((await ask(`${CONFIG_MAPS}/b`, { method: "DELETE" })).status, 200);
  assert.equal((await make("d")).status, 201);
});

test("objects that own one another go, though each waits for the other", async (context) => {
  const { ask, store } = await apiServerStage(context);
  const uids = ["a", "b", "c"].map((name) => put(store, configMap(name)).metadata.uid ?? "");
  for (const [at, name] of ["a", "b", "c"].entries()) {
    const owner = (at + 1) % 3;
    const reference = { name: "abc"[owner], uid: uids[owner], blockOwnerDeletion: true };
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", ...reference }];
    const body = { metadata: { ownerReferences } };
    const patched = await ask(`${CONFIG_MAPS}/${name}`, { method: "PATCH", headers: MERGE, body });
    assert.equal(patched.status, 200);
  }
  await ask(`${CONFIG_MAPS}/a?propagationPolicy=Foreground`, { method: "DELETE" });
  await eventually("all to be gone", async () => {
    const { items } = (await ask(CONFIG_MAPS)).body;
    return Array.isArray(items) && items.length === 0;
  });
});

test("there are so many watches at a time, and room again once one ends", async (context) => {
  const { follow, ask } = await apiServerStage(context);
  const watch = `${CONFIG_MAPS}?watch=true`;
  const open = await Promise.all(Array.from({ length: 256 }, () => follow(watch)));
  assert.deepEqual(new Set(open.map(({ status }) => status)), new Set([200]));
  const refused = await ask(watch);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal((await ask(CONFIG_MAPS)).status, 200, "others are served");
  open[0]?.stop();
  await eventually("room for a watch", async () => (await follow(watch)).status === 200);
});
