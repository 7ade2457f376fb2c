import assert from "node:assert/strict";
import { test } from "node:test";
import { throwFirstFailure } from "./first-failure.ts";

const fulfilled = { status: "fulfilled", value: 1 } as const;
const failed = (reason: unknown) => ({ status: "rejected", reason }) as const;

test("the first that failed is thrown, as it is", () => {
  const first = new Error("first");
  assert.throws(
    () => throwFirstFailure([fulfilled, failed(first), failed(new Error("second"))]),
    (thrown) => thrown === first,
  );
});

test("a failure without a reason is one all the same", () => {
  let thrown = false;
  try {
    throwFirstFailure([failed(undefined)]);
  } catch {
    thrown = true;
  }
  assert.ok(thrown);
});

test("where nothing failed nothing is thrown", () => {
  throwFirstFailure([]);
  throwFirstFailure([fulfilled]);
});
