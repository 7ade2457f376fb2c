import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hostCovers, hostNameProblem, hostsOverlap, wildcardHostProblem } from "./host-name.ts";

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

const pairs: [wide: string, narrow: string, covers: boolean][] = [
  ["a.b", "a.b", true],
  ["*.b", "a.b", true],
  ["*.b", "b", false],
  ["*.b", "*.a.b", true],
  ["*.a.b", "*.b", false],
  ["*", "a", true],
  ["a.b", "*.b", false],
];
for (const [wide, narrow, covers] of pairs) {
  test(`${wide} ${covers ? "covers" : "does not cover"} ${narrow}`, () => {
    assert.equal(hostCovers(wide, narrow), covers);
  });
}

test("hosts overlap just when one covers the other, whichever comes first", () => {
  const label = fc.constantFrom("a", "b", "c");
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
  const host = fc.oneof(
    name,
    name.map((rest) => `*.${rest}`),
    fc.constant("*"),
  );
  fc.assert(
    fc.property(host, host, (one, other) => {
      const expected = hostCovers(one, other) || hostCovers(other, one);
      assert.equal(hostsOverlap(one, other), expected);
      assert.equal(hostsOverlap(other, one), expected);
    }),
  );
});
