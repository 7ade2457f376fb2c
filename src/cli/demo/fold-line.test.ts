import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { foldLine } from "./fold-line.ts";

test("what follows is indented deeper than the beginning", () => {
  assert.deepEqual(foldLine("  one two three four", 12), ["  one two", "    three", "    four"]);
});

test("a line that fits stays as it is", () => {
  assert.deepEqual(foldLine("one two", 7), ["one two"]);
});

test("a word longer than the line is cut", () => {
  assert.deepEqual(foldLine("abcdefghij", 6), ["abcdef", "  ghij"]);
});

test("law: no line is longer than asked for, and no character but blanks is lost", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { minLength: 1, maxLength: 30 });
  const widths = fc.integer({ min: 8, max: 120 });
  fc.assert(
    fc.property(words, fc.nat(6), widths, (list, indent, width) => {
      const line = " ".repeat(indent) + list.join(" ");
      const folded = foldLine(line, width);
      assert.ok(folded.every((part) => part.length <= width));
      assert.equal(folded.join("").replaceAll(" ", ""), list.join(""));
    }),
  );
});
