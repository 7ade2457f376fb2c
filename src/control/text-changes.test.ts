import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textChanges, withChanges } from "./text-changes.ts";
import type { WrittenText } from "./written-texts.ts";

const texts: fc.Arbitrary<WrittenText[]> = fc.uniqueArray(
  fc.record(
    {
      file: fc.constantFrom("a", "b", "c", "d"),
      text: fc.constantFrom("1", "2"),
      setAside: fc.subarray(["x", "y"]),
    },
    { requiredKeys: ["file", "text"] },
  ),
  { selector: ({ file }) => file },
);

const byFile = (all: readonly WrittenText[]): readonly WrittenText[] =>
  [...all]
    .map(({ setAside = [], ...one }) => ({ ...one, setAside }))
    .sort((one, other) => one.file.localeCompare(other.file));

test("changes lead from one set of texts to the other", () => {
  fc.assert(
    fc.property(texts, texts, (before, now) => {
      assert.deepEqual(byFile(withChanges(before, textChanges(before, now))), byFile(now));
    }),
  );
});

test("what is the same is not told", () => {
  fc.assert(
    fc.property(texts, (now) => {
      const same = now.map((one) => ({ ...one }));
      assert.deepEqual(textChanges(now, same), { changed: [], removed: [] });
    }),
  );
});
