import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { allocatePorts, LOOPBACK } from "./port-allocator.ts";

async function temporaryFile(context: { after(done: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, "ports.json");
}

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `key ${at}`);

test("each key gets a port of its own, the same in the next run, in whatever order", async (context) => {
  const file = await temporaryFile(context);
  const first = await allocatePorts(["a", "b", "c"], file);
  await first.release();
  const second = await allocatePorts(["c", "b", "a"], file);
  await second.release();
  assert.equal(new Set(first.ports.values()).size, 3);
  assert.deepEqual(Object.fromEntries(second.ports), Object.fromEntries(first.ports));
});

test("a port taken by another program since is given up, the others stay", async (context) => {
  const file = await temporaryFile(context);
  const first = await allocatePorts(["a", "b"], file);
  await first.release();
  const stranger = createServer().listen({ host: LOOPBACK, port: first.ports.get("a") ?? 0 });
  await new Promise((resolve) => stranger.once("listening", resolve));
  context.after(() => stranger.close());
  const second = await allocatePorts(["a", "b"], file);
  await second.release();
  assert.notEqual(second.ports.get("a"), first.ports.get("a"));
  assert.equal(second.ports.get("b"), first.ports.get("b"));
});

test("meshes that start at the same time share no port, though nobody listens yet", async (context) => {
  const files = await Promise.all(keysOf(6).map(() => temporaryFile(context)));
  const all = await Promise.all(files.map((file) => allocatePorts(keysOf(30), file)));
  const ports = all.flatMap((one) => [...one.ports.values()]);
  await Promise.all(all.map((one) => one.release()));
  assert.equal(new Set(ports).size, 180);
});

test("more keys than a block holds take several blocks", async (context) => {
  const { ports, release } = await allocatePorts(keysOf(250), await temporaryFile(context));
  await release();
  assert.equal(new Set(ports.values()).size, 250);
  assert.ok(![...ports.values()].includes(0));
});
