import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { InTurn } from "./in-turn.ts";

test("works do not overlap, and one that fails tells who asked for it alone", async () => {
  const order: string[] = [];
  const queue = new InTurn();
  const work =
    (name: string, fails = false) =>
    async (): Promise<string> => {
      order.push(`${name} begins`);
      await turn();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const asked = [queue.run(work("a")), queue.run(work("b", true)), queue.run(work("c"))];
  const came = await Promise.allSettled(asked);
  assert.deepEqual(
    came.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const both = ["begins", "ends"];
  assert.deepEqual(
    order,
    ["a", "b", "c"].flatMap((name) => both.map((what) => `${name} ${what}`)),
  );
});
