import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkText, copy, copyRange, writeChecked, writeNumber, writeText } from "./write-bytes.ts";

const AROUND = Buffer.alloc(400, "#");

test("a range is copied as it is, short or long, and nothing beside it", () => {
  const source = Buffer.from(Array.from({ length: 400 }, (_, index) => index % 251));
  // Part of a larger buffer: it does not begin where its memory does.
  const shifted = Buffer.concat([AROUND, source]).subarray(AROUND.length);
  const place = fc.nat({ max: 150 });
  fc.assert(
    fc.property(place, place, fc.nat({ max: 200 }), (start, at, length) => {
      const target = Buffer.from(AROUND);
      const end = copyRange({ bytes: shifted, start, end: start + length }, target, at);
      const expected = Buffer.from(AROUND);
      source.copy(expected, at, start, start + length);
      assert.equal(end, at + length);
      assert.deepEqual(target, expected);
      assert.equal(copy(shifted.subarray(start, start + length), target.fill("#"), at), end);
      assert.deepEqual(target, expected);
    }),
  );
});

test("a number is written as its digits are", () => {
  const target = Buffer.alloc(20);
  const whole = fc.oneof(fc.nat({ max: 1_100 }), fc.maxSafeNat());
  fc.assert(
    fc.property(whole, (value) => {
      const end = writeNumber(target, 2, value);
      assert.equal(target.toString("latin1", 2, end), String(value));
    }),
  );
});

test("text is bytes, and what may not stand in it is refused", () => {
  const target = Buffer.alloc(4);
  assert.equal(writeText(target, 1, "a\xff"), 3);
  assert.deepEqual([...target], [0, 97, 255, 0]);
  const onlyA = new Uint8Array(256);
  onlyA[97] = 1;
  checkText("aa", onlyA);
  assert.equal(writeChecked(target, 0, { text: "aa", allowed: onlyA }), 2);
  assert.deepEqual([...target], [97, 97, 255, 0]);
  for (const text of ["ab", "a\n", "a\u0161"]) {
    assert.throws(() => checkText(text, onlyA), RangeError);
    assert.throws(() => writeChecked(target, 0, { text, allowed: onlyA }), RangeError);
  }
});
