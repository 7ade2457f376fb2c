import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AffixKind, AffixTable } from "./affix-table.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });

function found(table: AffixTable<string>, asked: string): string[] {
  const values: string[] = [];
  table.visitAll(asked, { visit: (value) => values.push(value) });
  return values;
}

const kinds: [kind: AffixKind, isAffix: (of: string, affix: string) => boolean][] = [
  ["prefix", (of, affix) => of.startsWith(affix)],
  ["suffix", (of, affix) => of.endsWith(affix)],
];
for (const [kind, isAffix] of kinds) {
  test(`law: every ${kind} of a text is found, the shortest first, and nothing else`, () => {
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 30 }), text, (texts, asked) => {
        const affixes = texts.map((one) => ({ text: one, value: one }));
        const expected = texts
          .filter((one) => isAffix(asked, one))
          .sort((a, b) => a.length - b.length);
        assert.deepEqual(found(new AffixTable(kind, affixes), asked), expected);
      }),
    );
  });
}

test("ten thousand keys, each the beginning of the next, are entered and found", () => {
  const longest = "a".repeat(10_000);
  const affixes = Array.from({ length: 10_000 }, (_, index) => longest.slice(0, index + 1));
  const table = new AffixTable(
    "prefix",
    affixes.map((one) => ({ text: one, value: one })),
  );
  assert.equal(found(table, `${longest}b`).length, 10_000);
  assert.equal(found(table, "aaab").length, 3);
});

/** Found by a search: the table's hash of the longer is that of the shorter, whose beginning (or, reversed, end) it is. */
const SAME_HASH = ["/shop/", "/shop/ugswaasq"] as const;
const backwards = (one: string): string => [...one].reverse().join("");
for (const [kind] of kinds) {
  test(`of two keys of one hash that are each a ${kind} of a text, both are found, and each under its own texts alone`, () => {
    const written = (one: string): string => (kind === "prefix" ? one : backwards(one));
    const [short, long] = SAME_HASH.map((one) => ({ text: written(one), value: one }));
    assert.ok(short && long);
    for (const affixes of [
      [short, long],
      [long, short],
    ]) {
      const table = new AffixTable(kind, affixes);
      assert.deepEqual(found(table, written("/shop/ugswaasq/1")), SAME_HASH);
      assert.deepEqual(found(table, written("/shop/cart")), ["/shop/"]);
    }
    const onlyShort = new AffixTable(kind, [short, { text: written("/other/8chars"), value: "" }]);
    assert.deepEqual(found(onlyShort, written("/shop/ugswaasq")), ["/shop/"]);
    const onlyLong = new AffixTable(kind, [long, { text: written("/other"), value: "" }]);
    assert.deepEqual(found(onlyLong, written("/shop/")), []);
  });
}
