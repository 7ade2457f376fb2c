import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turns } from "node:timers/promises";
import { createDeferred } from "../runtime/deferred.ts";
import { FairTurns } from "./fair-turns.ts";

test("of each asker a few at a time, in order; nobody waits for another's", async () => {
  const fair = new FairTurns(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (asker: string, name: string): Promise<void> =>
    fair.run(asker, async () => {
      begun.push(name);
      const { promise, resolve } = createDeferred<void>();
      ends.set(name, resolve);
      await promise;
    });
  const all = ["a1", "a2", "a3", "a4", "b1"].map((name) => run(name.slice(0, 1), name));
  await turns();
  assert.deepEqual(begun, ["a1", "a2", "b1"]);
  ends.get("a2")?.();
  await turns();
  assert.deepEqual(begun, ["a1", "a2", "b1", "a3"]);
  for (const name of ["b1", "a1", "a3"]) ends.get(name)?.();
  await turns();
  assert.deepEqual(begun, ["a1", "a2", "b1", "a3", "a4"]);
  ends.get("a4")?.();
  await Promise.all(all);
});

test("work that fails gives its place on", async () => {
  const fair = new FairTurns(1);
  const failed = fair.run("a", () => Promise.reject(new Error("no")));
  const next = fair.run("a", () => Promise.resolve());
  await assert.rejects(failed, /no/);
  await next;
});
