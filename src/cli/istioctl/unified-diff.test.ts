import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unifiedDiff } from "./unified-diff.ts";

const NAMES = { before: "one", after: "other" };

/** As `patch` does: each part at its line, and what it takes away must be there. */
function patched(before: readonly string[], diff: readonly string[]): readonly string[] {
  const after: string[] = [];
  let at = 0;
  for (const row of diff.slice(2)) {
    const [, from, count, to] = /^@@ -(\d+),(\d+) \+(\d+),\d+ @@$/.exec(row) ?? [];
    if (from !== undefined) {
      const start = count === "0" ? Number(from) : Number(from) - 1;
      after.push(...before.slice(at, start));
      at = start;
      const line = after.length + 1;
      assert.ok([line, line - 1].includes(Number(to)), `${to} is not line ${line}`);
      continue;
    }
    const [sign, text] = [row[0], row.slice(1)];
    if (sign !== "+") assert.equal(before[at++], text);
    if (sign !== "-") after.push(text);
  }
  return [...after, ...before.slice(at)];
}

test("the same has no differences", () =>
  assert.deepEqual(unifiedDiff(["a", "b"], ["a", "b"], NAMES), []));

test("a change is shown with what is around it, and the rest is not", () => {
  const lines = Array.from({ length: 30 }, (_, index) => `${index}`);
  const changed = lines.map((line) => (line === "15" ? "fifteen" : line));
  const [one, other, range, ...rows] = unifiedDiff(lines, changed, NAMES);
  assert.deepEqual([one, other, range], ["--- one", "+++ other", "@@ -9,15 +9,15 @@"]);
  assert.deepEqual(rows.slice(6, 10), [" 14", "-15", "+fifteen", " 16"]);
  assert.equal(rows.length, 16);
});

test("what it says turns one text into the other", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 80 });
  fc.assert(
    fc.property(text, text, (before, wanted) => {
      assert.deepEqual(patched(before, unifiedDiff(before, wanted, NAMES)), wanted);
    }),
  );
});

test("very long texts are another as a whole, at once", () => {
  const lines = (word: string): string[] => Array.from({ length: 3_000 }, (_, at) => word + at);
  assert.equal(unifiedDiff(lines("a"), lines("b"), NAMES).length, 3 + 6_000);
});
