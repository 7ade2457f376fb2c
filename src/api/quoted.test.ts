import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quoted, shortened } from "./quoted.ts";

const cases: [text: string, inQuotes: string, plain: string][] = [
  ["a b", '"a b"', "a b"],
  ['"', '"\\""', '"'],
  ["\u202ea", '"\\u202ea"', "\\u{202e}a"],
  ["\u001b[2J", '"\\u001b[2J"', "\\u{1b}[2J"],
  ["\u009b2J", '"\\u009b2J"', "\\u{9b}2J"],
  ["\u2028\u2029\u2066", '"\\u2028\\u2029\\u2066"', "\\u{2028}\\u{2029}\\u{2066}"],
  ["x".repeat(81), `"${"x".repeat(80)}…"`, `${"x".repeat(80)}…`],
];
for (const [text, inQuotes, plain] of cases) {
  test(`${inQuotes} in messages`, () => {
    assert.deepEqual([quoted(text), shortened(text)], [inQuotes, plain]);
  });
}

test("law: nothing unseen is left in a message, and it is short", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      for (const told of [quoted(text), shortened(text)]) {
        assert.doesNotMatch(told, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.ok(told.length <= 8 * 81);
      }
    }),
  );
});
