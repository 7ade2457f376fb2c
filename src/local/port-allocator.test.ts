import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import { LOOPBACK, PortAllocator } from "./port-allocator.ts";

async function temporaryFile(context: { after(done: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  return join(folder, "ports.json");
}

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `key ${at}`);

/** One run of a mesh: what it got, given back. */
async function runWith(keys: readonly string[], file: string): Promise<Record<string, number>> {
  const allocator = await PortAllocator.open(file);
  const ports = Object.fromEntries(await allocator.allocate(keys));
  await allocator.release();
  return ports;
}

test("each key gets a port of its own, the same in the next run, in whatever order", async (context) => {
  const file = await temporaryFile(context);
  const first = await runWith(["a", "b", "c"], file);
  assert.equal(new Set(Object.values(first)).size, 3);
  assert.deepEqual(await runWith(["c", "b", "a"], file), first);
});

test("a port taken by another program since is given up, the others stay", async (context) => {
  const file = await temporaryFile(context);
  const first = await runWith(["a", "b"], file);
  const stranger = createServer().listen({ host: LOOPBACK, port: first["a"] ?? 0 });
  await new Promise((resolve) => stranger.once("listening", resolve));
  context.after(() => stranger.close());
  const second = await runWith(["a", "b"], file);
  assert.notEqual(second["a"], first["a"]);
  assert.equal(second["b"], first["b"]);
});

test("a key that comes later leaves the others as they are", async (context) => {
  const file = await temporaryFile(context);
  const allocator = await PortAllocator.open(file);
  const first = new Map(await allocator.allocate(["a", "b"]));
  const second = await allocator.allocate(["c", "b", "a"]);
  await allocator.release();
  assert.equal(second.get("a"), first.get("a"));
  assert.equal(second.get("b"), first.get("b"));
  assert.equal(new Set(second.values()).size, 3);
});

test("a trial is told what it would get, and everybody keeps what they have", async (context) => {
  const file = await temporaryFile(context);
  const allocator = await PortAllocator.open(file);
  const before = new Map(await allocator.allocate(["a", "b"]));
  const kept = await readFile(file, "utf8");
  const listener = createServer().listen({ host: LOOPBACK, port: before.get("a") ?? 0 });
  await once(listener, "listening"); // as whoever was given the port does
  const tried = await allocator.trial().allocate(["b", "c"]);
  assert.equal(tried.get("b"), before.get("b"));
  assert.deepEqual([...tried.keys()].sort(), ["b", "c"]);
  assert.equal(await readFile(file, "utf8"), kept);
  assert.deepEqual(new Map(await allocator.allocate(["a", "b"])), before);
  listener.close();
  await allocator.release();
});

test("meshes that start at the same time share no port, though nobody listens yet", async (context) => {
  const files = await Promise.all(keysOf(6).map(() => temporaryFile(context)));
  const allocators = await Promise.all(files.map((file) => PortAllocator.open(file)));
  const all = await Promise.all(allocators.map((one) => one.allocate(keysOf(30))));
  await Promise.all(allocators.map((one) => one.release()));
  assert.equal(new Set(all.flatMap((ports) => [...ports.values()])).size, 180);
});

test("more keys than a block holds take several blocks", async (context) => {
  const ports = Object.values(await runWith(keysOf(250), await temporaryFile(context)));
  assert.equal(new Set(ports).size, 250);
  assert.ok(ports.every((port) => port > 0));
});

test("a key that is not asked for any more gives its port back, and may have it again later", async (context) => {
  const file = await temporaryFile(context);
  const allocator = await PortAllocator.open(file);
  context.after(() => allocator.release());
  const first = new Map(await allocator.allocate(["kept", "gone"]));
  assert.deepEqual([...(await allocator.allocate(["kept"])).keys()], ["kept"]);
  for (let round = 0; round < 3; round++) {
    const names = keysOf(90).map((key) => `${key} of round ${round}`);
    const ports = await allocator.allocate(["kept", ...names]);
    assert.equal(ports.size, 91);
    assert.ok([...ports.values()].every((port) => Math.abs(port - (first.get("kept") ?? 0)) < 100));
  }
  assert.equal((await allocator.allocate(["kept", "gone"])).get("gone"), first.get("gone"));
});

test("a port outside the blocks is theirs who ask for it first, and of nobody who finds it taken", async (context) => {
  const wanted = await freePort();
  const preferred = new Map([["edge", wanted]]);
  const open = async (): Promise<PortAllocator> => {
    const allocator = await PortAllocator.open(await temporaryFile(context));
    context.after(() => allocator.release());
    return allocator;
  };
  const [first, second] = [await open(), await open()];
  assert.equal((await first.allocate(["edge", "a"], preferred)).get("edge"), wanted);
  const other = (await second.allocate(["edge", "a"], preferred)).get("edge");
  assert.ok(other !== undefined && other !== wanted);
  await first.release();
  const third = await open();
  assert.equal((await third.allocate(["edge"], preferred)).get("edge"), wanted);
});
