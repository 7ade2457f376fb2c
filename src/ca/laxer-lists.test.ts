import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import { plugged } from "../../test/kit/authority-rings.ts";
import { buildRevocationList } from "../../test/kit/certificate-builder.ts";
import { holdAuthority } from "./held-authority.ts";
import { laxerLists } from "./laxer-lists.ts";

const parts = authorityParts();
const listOf = (day: number, number?: number): string =>
  buildRevocationList(parts.signing, {
    thisUpdate: new Date(Date.UTC(2026, 0, day)),
    ...(number === undefined ? {} : { number }),
  });

const CASES: readonly (readonly [
  what: string,
  inForce: readonly string[],
  brought: readonly string[],
  words: RegExp | undefined,
])[] = [
  ["nothing in force", [], [], undefined],
  ["a first list", [], [listOf(1)], undefined],
  ["the same list", [listOf(2, 5)], [listOf(2, 5)], undefined],
  ["gone", [listOf(2)], [], /ca-crl.pem is missing, or has no list of .*Intermediate CA/],
  ["newer", [listOf(2)], [listOf(3)], undefined],
  ["older by date", [listOf(2)], [listOf(1)], /older list .*2026-01-01.*in force.*2026-01-02/],
  ["older by number and date", [listOf(2, 5)], [listOf(1, 4)], /number 4, .*number 5,/],
  ["older by number, of one day", [listOf(2, 5)], [listOf(2, 4)], /older/],
  ["older by date, of one number", [listOf(2, 5)], [listOf(1, 5)], /older/],
  ["a count that began anew", [listOf(2, 5)], [listOf(3, 1)], undefined],
  ["a clock that was wrong once", [listOf(20, 5)], [listOf(3, 6)], undefined],
  ["a number that is new", [listOf(2)], [listOf(1, 9)], /older/],
  ["the newest of two counts", [listOf(1), listOf(3)], [listOf(2)], /older/],
  ["the newest of two that are brought", [listOf(2)], [listOf(1), listOf(2)], undefined],
  ["a list of somebody else", [buildRevocationList(authorityParts().root)], [], undefined],
];
for (const [what, inForce, brought, words] of CASES) {
  test(`CA-50: ${what}: ${words === undefined ? "taken" : "refused"}`, () => {
    const comer = holdAuthority(plugged(parts, { crlsPem: brought }));
    const problem = laxerLists(comer, { inForce });
    if (words === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? "", words);
  });
}
