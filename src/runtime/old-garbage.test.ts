import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually } from "../../test/kit/eventually.ts";
import { collectOldGarbage, garbageCollector } from "./old-garbage.ts";

const EVERY_MS = 20;
const MEBIBYTE = 1024 * 1024;

setFlagsFromString("--expose-gc");
const gc: unknown = runInNewContext("gc");
Object.assign(globalThis, { gc });
after(() => Reflect.deleteProperty(globalThis, "gc"));

test("what nobody holds any more is given back", async () => {
  const collector = garbageCollector();
  assert.ok(collector);
  await collector.collect();
  const before = collector.heldBytes();
  let held: unknown[] | undefined = Array.from({ length: 500_000 }, (_, at) => ({ at, of: [at] }));
  await collector.collect();
  await collector.collect(); // who has outlived two is old
  assert.ok(collector.heldBytes() > before + 25 * MEBIBYTE, "it is held");
  assert.equal(held.length, 500_000);
  held = undefined;
  const ending = new AbortController();
  const ended = collectOldGarbage(collector, { signal: ending.signal, everyMs: EVERY_MS });
  await eventually("it is given back", () => collector.heldBytes() < before + 10 * MEBIBYTE);
  ending.abort();
  await ended;
});

test("nothing is collected while little has come to what was left, or much is held", async () => {
  const held = [60, 12, 10, 11, 11.9, 12, 9, 10, 33, 40].map((mebibytes) => mebibytes * MEBIBYTE);
  const collectedAt: number[] = [];
  let looks = 0;
  const ending = new AbortController();
  const collector = {
    heldBytes: () => {
      const bytes = held[looks++] ?? 0;
      if (looks === held.length) ending.abort();
      return bytes;
    },
    collect: () => {
      collectedAt.push(looks);
      return Promise.resolve();
    },
  };
  await collectOldGarbage(collector, { signal: ending.signal, everyMs: 1 });
  // Of 60, 12 are left and then 10; 12 are two more, of which 9 are left. More than 32 would take too long.
  assert.deepEqual(collectedAt, [1, 6]);
});

test("who ends is not kept waiting, and an interpreter without the flag collects by itself", async () => {
  const ending = new AbortController();
  const never = { heldBytes: () => 0, collect: () => Promise.reject(new Error("not asked for")) };
  const ended = collectOldGarbage(never, { signal: ending.signal });
  await delay(1);
  ending.abort();
  await ended;
  Reflect.deleteProperty(globalThis, "gc");
  assert.equal(garbageCollector(), undefined);
});
