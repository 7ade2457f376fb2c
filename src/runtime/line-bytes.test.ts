/** Lines as bytes: the same as text would be, whatever characters they have, and however long they grow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineBytes } from "./line-bytes.ts";
import { printableJsonText } from "./printable.ts";

const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", '"', "\\", "\u001b[2J", "\u007f", "ü", "\u202e", "😀", "\ud800", "a\nb"),
  fc.constant("x".repeat(3_000)),
);
const latin1: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets)),
  fc.string({ unit: "grapheme-ascii" }).map((one) => Buffer.from(one, "latin1")),
);

type Part = readonly [add: (line: LineBytes) => void, expected: string];
const part: fc.Arbitrary<Part> = fc.oneof(
  text.map((one): Part => [(line) => line.json(one), printableJsonText(one)]),
  text.map((one): Part => [(line) => line.text(one), Buffer.from(one).toString()]),
  text.map((one): Part => [(line) => line.piece(Buffer.from(one)), Buffer.from(one).toString()]),
  fc.maxSafeInteger().map((one): Part => [(line) => line.number(one), String(one)]),
  fc.nat(2_000).map((one): Part => [(line) => line.number(one), String(one)]),
  fc
    .string({ unit: "grapheme-ascii", maxLength: 40 })
    .map((one): Part => [(line) => line.ascii(one), one]),
);

test("law: a line is what its parts say, and the next one begins without them", () => {
  const line = new LineBytes();
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      line.begin();
      for (const [add] of parts) add(line);
      const expected = parts.map(([, said]) => said).join("");
      assert.equal(String(line), expected);
      assert.equal(line.length, Buffer.byteLength(expected));
    }),
  );
});

test("law: octets are told as their text is, or not at all", () => {
  fc.assert(
    fc.property(latin1, fc.nat(5), (octets, skipped) => {
      const line = new LineBytes();
      line.ascii("before");
      const from = Math.min(skipped, octets.length);
      const said = octets.toString("latin1", from);
      const isPlain = printableJsonText(said) === `"${said}"` && /^[\x20-\x7e]*$/.test(said);
      assert.equal(line.jsonOctets(octets, from, octets.length), isPlain);
      assert.equal(String(line), isPlain ? `before"${said}"` : "before");
    }),
  );
});
