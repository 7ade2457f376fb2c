/** Objects as files: whatever they are called, each has one of its own. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { configMap, servedKind } from "../../../test/kit/api-server-stage.ts";
import { KeptObjects } from "./kept-objects.ts";

const kind = servedKind("ConfigMap");

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

test("the longest names that Kubernetes takes are kept, apart from one another", async (context) => {
  const kept = new KeptObjects(await folder(context));
  const names = ["a".repeat(253), `${"a".repeat(252)}b`, "a".repeat(200), "a"];
  for (const name of names) await kept.write({ kind, namespace: "default", name }, configMap(name));
  const loaded = await kept.load(() => assert.fail("a file without an object"));
  assert.deepEqual(loaded.map(({ metadata }) => metadata.name).sort(), [...names].sort());
  for (const name of names) await kept.remove({ kind, namespace: "default", name });
  assert.deepEqual(await kept.load(() => {}), []);
});

test("no name leads out of the folder", async (context) => {
  const path = await folder(context);
  const inner = join(path, "objects");
  const kept = new KeptObjects(inner);
  const odd = ["..", "../../../../x", "..%2fx", "a/../../../../x", "\u0000", "x\n"];
  for (const namespace of odd)
    for (const name of odd) await kept.write({ kind, namespace, name }, configMap("x"));
  assert.deepEqual(await readdir(path), ["objects"]);
  assert.deepEqual(await readdir(inner), ["configmaps"]);
  assert.equal((await kept.load(() => {})).length, odd.length ** 2);
});
