import assert from "node:assert/strict";
import { test } from "node:test";
import { canBePodOf } from "./pod-names.ts";

const NAMES: readonly (readonly [owner: string, name: string, expected: boolean])[] = [
  ["api", "api-0", true],
  ["api", "api-12", true],
  ["api", "api-0-b", true],
  ["api", "api-0-job", true],
  ["api", "api-0-deployment", true],
  ["api", "api-0-deployment-b", true],
  ["api-0", "api-0-0-b", true],
  ["api", "api-0-0", false],
  ["api", "api-b", false],
  ["api", "api", false],
  ["api", "apis-0", false],
  ["api", "api-v2-0", false],
  ["a.i", "api-0", false],
];

for (const [owner, name, expected] of NAMES) {
  test(`${name} is ${expected ? "" : "not "}a name of a pod of ${owner}`, () => {
    assert.equal(canBePodOf(owner, name), expected);
  });
}
