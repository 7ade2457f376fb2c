import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AffixKind, AffixTable } from "./affix-table.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });

function found(table: AffixTable<string>, asked: string): string[] {
  const values: string[] = [];
  for (let at = table.first(asked); at >= 0; at = table.next(at)) values.push(table.at(at) ?? "");
  return values;
}

const kinds: [kind: AffixKind, isAffix: (of: string, affix: string) => boolean][] = [
  ["prefix", (of, affix) => of.startsWith(affix)],
  ["suffix", (of, affix) => of.endsWith(affix)],
];
for (const [kind, isAffix] of kinds) {
  test(`law: every ${kind} of a text is found, the longest first, and nothing else`, () => {
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 30 }), text, (texts, asked) => {
        const affixes = texts.map((one) => ({ text: one, value: one }));
        const expected = texts
          .filter((one) => isAffix(asked, one))
          .sort((a, b) => b.length - a.length);
        assert.deepEqual(found(new AffixTable(kind, affixes), asked), expected);
      }),
    );
  });
}
