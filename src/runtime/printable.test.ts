import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable, printableJson, printableJsonText } from "./printable.ts";

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\u001b[2J", "\u009b", "\u202e", "\u2028", "\u{e0001}", "a", "ü", "😀"),
  }),
);

test("no text steers a terminal, and what is safe stays as it is", () => {
  fc.assert(
    fc.property(text, (written) => {
      assert.doesNotMatch(printable(written), UNSEEN);
      assert.equal(printable(printable(written)), printable(written));
    }),
  );
  assert.equal(printable("ab\u202eüc😀"), "ab\\u{202e}üc😀");
});

test("escaped JSON has nothing unseen but line ends, and means the same", () => {
  fc.assert(
    fc.property(text, (written) => {
      const json = printableJson(JSON.stringify({ [written]: [written] }, null, 2));
      assert.doesNotMatch(json.replaceAll("\n", ""), UNSEEN);
      assert.deepEqual(JSON.parse(json), { [written]: [written] });
    }),
  );
});

test("one text as JSON is what JSON says of it, escaped", () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (written) => {
      assert.equal(printableJsonText(written), printableJson(JSON.stringify(written)));
    }),
  );
  for (const written of ["", "~", "\u007f", 'a"b', "\\", "\ud800", "GET"]) {
    assert.equal(printableJsonText(written), printableJson(JSON.stringify(written)));
  }
});
