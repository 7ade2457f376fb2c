import assert from "node:assert/strict";
import { test } from "node:test";
import { Allowance } from "./allowance.ts";

test("so many a second, and the next second as many again", () => {
  let now = 5_000;
  const allowance = new Allowance({ perSecond: 2, clock: { now: () => new Date(now) } });
  const take = (): string => allowance.take();
  assert.deepEqual([take(), take(), take()], ["granted", "granted", "spent"]);
  now += 999;
  assert.equal(take(), "spent");
  now += 1;
  assert.deepEqual([take(), take(), take()], ["granted", "granted", "spent"]);
});

test("a clock that is set back does not keep it shut", () => {
  let now = 50_000;
  const allowance = new Allowance({ perSecond: 1, clock: { now: () => new Date(now) } });
  assert.equal(allowance.take(), "granted");
  now = 0;
  assert.equal(allowance.take(), "granted");
});
