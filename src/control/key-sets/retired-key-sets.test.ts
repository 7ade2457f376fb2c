import assert from "node:assert/strict";
import { test } from "node:test";
import { RetiredKeySets } from "./retired-key-sets.ts";

const STATE = { jwks: "keys", fetchedAt: "2026-06-01T12:00:00.000Z" };

test("the newest 64 are kept, once, without their problems", () => {
  const retired = new RetiredKeySets();
  for (let index = 0; index < 65; index++)
    retired.retire(`${index}`, { ...STATE, problem: "away" }, 0);
  assert.equal(retired.takeBack("0", 0), undefined);
  assert.deepEqual(retired.takeBack("1", 0), STATE);
  assert.equal(retired.takeBack("1", 0), undefined);
  assert.deepEqual(retired.takeBack("64", 0), STATE);
});

test("what never had keys is not kept", () => {
  const retired = new RetiredKeySets();
  retired.retire("a", { problem: "away" }, 0);
  assert.equal(retired.takeBack("a", 0), undefined);
});
