import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchedValue } from "./watched.ts";

test("readers see the latest value; listeners hear of changes until they stop", () => {
  const value = new WatchedValue(1);
  const heard: number[] = [];
  const stop = value.onChange((next) => heard.push(next));
  value.set(2);
  stop();
  value.set(3);
  assert.equal(value.current, 3);
  assert.deepEqual(heard, [2]);
});
