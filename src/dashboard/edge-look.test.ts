import assert from "node:assert/strict";
import { test } from "node:test";
import { labelOf, lookOf } from "./edge-look.ts";

const rows: readonly [
  calls: number,
  refused: number,
  mutualTlsPercent: number,
  look: string,
  label: string,
][] = [
  [4, 0, 100, "good", "100 % mTLS"],
  [4, 2, 100, "good", "100 % mTLS, 2 of 4 refused"],
  [4, 2, 50, "mixed", "50 % mTLS, 2 of 4 refused"],
  [4, 0, 0, "bad", "0 % mTLS"],
  [4, 4, 100, "refused", "all 4 refused"],
  [4, 4, 0, "refused", "all 4 refused"],
  [1, 1, 100, "refused", "refused"],
];
for (const [calls, refused, mutualTlsPercent, look, label] of rows) {
  test(`${refused} of ${calls} refused, ${mutualTlsPercent} % mutual TLS: ${label}`, () => {
    const edge = { from: "a", to: "b", mutualTls: 0, plaintext: 0, calls, refused };
    assert.equal(lookOf({ ...edge, mutualTlsPercent }), look);
    assert.equal(labelOf({ ...edge, mutualTlsPercent }), label);
  });
}
