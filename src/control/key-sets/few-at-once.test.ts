import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FewAtOnce } from "./few-at-once.ts";

test("no more than so many at once, in order, whatever becomes of them", async () => {
  const few = new FewAtOnce(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const works = Array.from({ length: 7 }, (_, index) =>
    few.run(async () => {
      begun.push(index);
      most = Math.max(most, ++running);
      await turn();
      running--;
      if (index % 2 === 0) throw new Error(`no ${index}`);
      return index;
    }),
  );
  const outcomes = await Promise.allSettled(works);
  assert.equal(most, 2);
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    begun.map((index) => (index % 2 === 0 ? "rejected" : "fulfilled")),
  );
  assert.equal(await few.run(async () => "again"), "again");
});
