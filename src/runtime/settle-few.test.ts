import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { settleFew } from "./settle-few.ts";

test("never more than so many at once, all of them in the end, told in their own order", async () => {
  let underWay = 0;
  let most = 0;
  const begun: number[] = [];
  const work = (index: number) => async (): Promise<number> => {
    begun.push(index);
    underWay++;
    most = Math.max(most, underWay);
    for (let turns = 0; turns < (index * 7) % 5; turns++) await turn();
    underWay--;
    return index;
  };
  const outcomes = await settleFew(
    Array.from({ length: 20 }, (_, index) => work(index)),
    3,
  );
  assert.equal(most, 3);
  assert.deepEqual(
    begun,
    Array.from({ length: 20 }, (_, index) => index),
  );
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === "fulfilled" && outcome.value),
    begun,
  );
});

test("a failure is told, and holds up nothing", async () => {
  const outcomes = await settleFew<string>(
    [
      () => Promise.reject(new Error("later")),
      () => {
        throw new Error("at once");
      },
      () => Promise.resolve("well"),
    ],
    1,
  );
  assert.deepEqual(
    outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? outcome.value : (outcome.reason as Error).message,
    ),
    ["later", "at once", "well"],
  );
});

test("nothing to do is done", async () => {
  assert.deepEqual(await settleFew([], 4), []);
});
