import assert from "node:assert/strict";
import { test } from "node:test";
import { nameHint, tellNames } from "./name-hint.ts";

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `n${index + 1}`);

const lists: [names: readonly string[], told: string][] = [
  [[], "none"],
  [["a"], "a"],
  [numbered(5), "n1, n2, n3, n4, n5"],
  [numbered(6), "n1, n2, n3, n4, n5 and 1 more"],
  [numbered(9), "n1, n2, n3, n4, n5 and 4 more"],
];
for (const [names, told] of lists) {
  test(`${names.length} names are told as: ${told}`, () => assert.equal(tellNames(names), told));
}

const hints: [written: string, known: readonly string[], hint: string][] = [
  ["frontent", ["cart", "frontend"], "did you mean sa/frontend?"],
  ["xyz", ["frontend", "cart", "frontend"], "known: cart, frontend"],
  ["xyz", [], "known: none"],
];
for (const [written, known, hint] of hints) {
  test(`${written}, where there are ${known.join(" ") || "none"}: ${hint}`, () => {
    const otherwise = (names: string): string => `known: ${names}`;
    assert.equal(nameHint(written, { known, inForm: (name) => `sa/${name}`, otherwise }), hint);
  });
}
