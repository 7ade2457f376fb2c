import assert from "node:assert/strict";
import { test } from "node:test";
import { ComparisonBudget } from "./comparison-budget.ts";

test("what is spent is gone, and what is too much for the rest ends it for good", () => {
  const budget = new ComparisonBudget(10);
  assert.deepEqual([budget.spend(4), budget.spend(5), budget.isSpent], [true, true, false]);
  assert.deepEqual([budget.spend(5), budget.spend(0), budget.isSpent], [false, false, true]);
});
