import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../kubernetes-object.ts";
import { canonicalQuantity } from "./quantity.ts";

/** As apimachinery's Quantity writes them. */
const cases: [given: JsonValue, expected: JsonValue][] = [
  ["0", "0"],
  [3, "3"],
  [0.5, "500m"],
  ["1000", "1k"],
  ["1000m", "1"],
  ["1001m", "1001m"],
  ["0.1", "100m"],
  [".5", "500m"],
  ["5.", "5"],
  ["-2000m", "-2"],
  ["+1", "1"],
  ["100M", "100M"],
  ["1e3", "1e3"],
  ["1E3", "1e3"],
  ["12e-1", "1200e-3"],
  ["1024Mi", "1Gi"],
  ["0.5Gi", "512Mi"],
  ["1Ki", "1Ki"],
  ["0.5Ki", "512"],
  ["1.5Ki", "1536"],
  ["0.0000000001", "1n"],
  ["much", "much"],
  ["", ""],
  [null, null],
];
for (const [given, expected] of cases) {
  test(`${JSON.stringify(given)} is ${JSON.stringify(expected)}`, () => {
    assert.equal(canonicalQuantity(given), expected);
  });
}

test("what is canonical stays", () => {
  const suffix = fc.constantFrom("", "m", "k", "M", "Ki", "Mi", "Gi", "e3");
  fc.assert(
    fc.property(fc.nat(), suffix, (amount, unit) => {
      const once = canonicalQuantity(`${amount}${unit}`);
      assert.equal(canonicalQuantity(once), once);
    }),
  );
});
