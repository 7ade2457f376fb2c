import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { mostUnpacked, packedMessage, packedPart, unpackedMessage } from "./packed-messages.ts";

const MOST = 1_000_000;
const text = (said: string): Buffer => Buffer.from(said);

const CASES: Readonly<
  Record<string, readonly [parts: readonly (readonly Buffer[])[], rest: Buffer]>
> = {
  "nothing but the rest": [[], text("the rest")],
  "an empty message": [[], text("")],
  "one part": [[[text("one"), text("two")]], text("rest")],
  "several parts": [[[text("a".repeat(5_000))], [text("b"), text("c")], [text("d")]], text("e")],
  "what cannot be made smaller": [[[randomBytes(70_000)]], randomBytes(65_535)],
  "a rest that no single block holds": [[[text("one")]], randomBytes(65_536)],
  "a part of nothing": [[[]], text("rest")],
};

for (const [name, [parts, rest]] of Object.entries(CASES)) {
  test(`${name}: what is packed is unpacked to the same bytes`, () => {
    const packed = packedMessage(
      parts.map((part) => packedPart(part, parts.length === 1 ? "only" : "any")),
      rest,
    );
    const plain = Buffer.concat([...parts.flat(), rest]);
    assert.deepEqual(Buffer.from(unpackedMessage(packed, MOST)), plain);
  });
}

test("what both sides know beforehand is hardly told, in the only part and in none of several", () => {
  const known = text("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
  const alone = packedMessage([packedPart([known], "only")], text(""));
  assert.ok(alone.length < known.length / 2, String(alone.length));
  assert.deepEqual(Buffer.from(unpackedMessage(alone, MOST)), known);
  const both = packedMessage([packedPart([known], "any"), packedPart([known], "any")], text(""));
  assert.deepEqual(Buffer.from(unpackedMessage(both, MOST)), Buffer.concat([known, known]));
});

test("a plain message stays what it is", () => {
  const plain = text("\n\u0003abc");
  assert.equal(unpackedMessage(plain, 1), plain);
});

test("what alike parts have in common is told once", () => {
  const packed = packedMessage([packedPart([text("ab".repeat(10_000))], "any")], text(""));
  assert.ok(packed.length < 200, String(packed.length));
});

test("what is too many times as long as it came is refused", () => {
  const packed = packedMessage([packedPart([Buffer.alloc(8 * 1024 * 1024)], "only")], text(""));
  assert.ok(mostUnpacked(packed.length) < 8 * 1024 * 1024);
  assert.throws(() => unpackedMessage(packed, 64 * 1024 * 1024), RangeError);
});

test("what would be longer than is accepted, or is broken off, is refused", () => {
  const packed = packedMessage([packedPart([Buffer.alloc(2_000)], "only")], text("rest"));
  assert.throws(() => unpackedMessage(packed, 1_000), RangeError);
  assert.throws(() => unpackedMessage(packed.subarray(0, -6), MOST));
  assert.throws(() => unpackedMessage(Buffer.of(0, 0xff, 0xff), MOST));
});
