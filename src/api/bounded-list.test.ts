import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedList } from "./bounded-list.ts";

function listOf(count: number, key?: (number: number) => string): BoundedList<number> {
  const list = new BoundedList<number>();
  for (let number = 1; number <= count; number++) list.add(number, key?.(number));
  return list;
}

test("up to a hundred are told, and nothing is left", () => {
  assert.deepEqual([listOf(100).told.length, listOf(100).rest], [100, undefined]);
});

test("the hundred and first is not told, but counted", () => {
  assert.deepEqual([listOf(112).told.at(-1), listOf(112).rest], [100, { first: 101, count: "12" }]);
});

test("a million are not even counted", () => {
  const list = listOf(1_000_000);
  assert.deepEqual([list.told.length, list.rest?.count, list.isFull], [100, "at least 900", true]);
});

test("the same is told and counted once", () => {
  const list = listOf(1_000_000, (number) => `${number % 110}`);
  assert.deepEqual([list.told.length, list.rest?.count, list.isFull], [100, "10", false]);
});
