import assert from "node:assert/strict";
import { test } from "node:test";
import { hostNameProblem, wildcardHostProblem } from "./host-name.ts";

const LONG = "a".repeat(63);
const names: [name: string, plain: boolean, wildcard: boolean][] = [
  ["a", true, true],
  ["A.b", true, true],
  ["a.b.", true, true],
  [LONG, true, true],
  ["*", false, true],
  ["*.b", false, true],
  ["*-a.b", false, true],
  ["*a", false, true],
  ["", false, false],
  [".", false, false],
  ["a..b", false, false],
  ["a.*", false, false],
  ["a_b", false, false],
  ["-a", false, false],
  [`${LONG}a`, false, false],
  [`${LONG}.${LONG}.${LONG}.${LONG}.a`, false, false],
  [`${LONG}.${LONG}.${LONG}.${LONG}`, true, true],
  ["10.0.0.1", false, false],
  ["a.1", false, false],
  ["123", false, true],
];
for (const [name, plain, wildcard] of names) {
  test(`${JSON.stringify(name)}: a host ${plain}, one with a wildcard ${wildcard}`, () => {
    assert.equal(hostNameProblem(name) === undefined, plain);
    assert.equal(wildcardHostProblem(name) === undefined, wildcard);
  });
}
