import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Conjunction, pointlessConjunctions } from "./pointless-conditions.ts";

const rows: [what: string, conjunctions: Conjunction[], expected: [at: number, by: number][]][] = [
  ["nothing", [], []],
  ["one alone", [["a"]], []],
  ["two that have nothing to do with each other", [["a"], ["b"]], []],
  [
    "two that overlap",
    [
      ["a", "b"],
      ["b", "c"],
    ],
    [],
  ],
  ["one with more conditions than another", [["a", "b"], ["b"]], [[0, 1]]],
  [
    "the same twice, in another order",
    [
      ["a", "b"],
      ["b", "a"],
    ],
    [[1, 0]],
  ],
  [
    "one that is always met",
    [["a"], [], ["b"]],
    [
      [0, 1],
      [2, 1],
    ],
  ],
  [
    "a chain, told by its shortest",
    [["a", "b", "c"], ["a", "b"], ["a"]],
    [
      [0, 2],
      [1, 2],
    ],
  ],
];
for (const [what, conjunctions, expected] of rows) {
  test(what, () => {
    const found = pointlessConjunctions(conjunctions);
    assert.deepEqual(
      found.map(({ at, coveredBy }) => [at, coveredBy]),
      expected,
    );
  });
}

const conditions = ["a", "b", "c", "d", "e"];
const conjunctions = fc.array(fc.subarray(conditions), { maxLength: 8 });

test("law: without the pointless ones the same is allowed, whatever is met, and none is left that is", () => {
  fc.assert(
    fc.property(conjunctions, fc.subarray(conditions), (all, met) => {
      const pointless = new Set(pointlessConjunctions(all).map(({ at }) => at));
      const rest = all.filter((_, at) => !pointless.has(at));
      const holds = (some: readonly Conjunction[]): boolean =>
        some.some((one) => one.every((condition) => met.includes(condition)));
      assert.equal(holds(rest), holds(all));
      assert.deepEqual(pointlessConjunctions(rest), []);
    }),
  );
});
