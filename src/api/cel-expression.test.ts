import assert from "node:assert/strict";
import { test } from "node:test";
import { celProblem } from "./cel-expression.ts";

const good = [
  "response.code >= 400",
  "9223372036854775807",
  "-9223372036854775808",
  "18446744073709551615u",
  "has(request.headers.x)",
  "[1].all(x, x > 0)",
  "x.map(a, b, c)",
  "all(x, y)",
  "a // as long as it takes",
];
for (const expression of good) {
  test(`VAL-50 ${expression} is an expression`, () => {
    assert.equal(celProblem(expression), undefined);
  });
}

const bad: [expression: string, problem: RegExp][] = [
  ["", /^is not a CEL expression/],
  ["a >", /cannot be read$/],
  ["9223372036854775808", /a number is too large$/],
  ["-9223372036854775809", /a number is too large$/],
  ["18446744073709551616u", /a number is too large$/],
  ["1e400", /a number is too large$/],
  ["b == [1, 1e400]", /a number is too large$/],
  ["has(a)", /has has to be given a field$/],
  ["b && has(a[1])", /has has to be given a field$/],
  ["[1].all(1, x)", /all has to be given a name first$/],
  ["x.map(a.b, c)", /map has to be given a name first$/],
];
for (const [expression, problem] of bad) {
  test(`VAL-50 ${JSON.stringify(expression)} is no expression`, () => {
    assert.match(celProblem(expression) ?? "", problem);
  });
}

const long: [what: string, expression: string, problem: RegExp | undefined][] = [
  ["a literal within bounds", `"${"a".repeat(99_998)}"`, undefined],
  ["a literal beyond them", `"${"a".repeat(99_999)}"`, /^is longer than 100000 characters/],
  ["wide characters count once", `"${"😀".repeat(60_000)}"`, undefined],
  ["a megabyte", `[${"1,".repeat(500_000)}1]`, /^is longer than 100000 characters/],
  ["a deep one", `${"(".repeat(40_000)}1${")".repeat(40_000)}`, /^is nested too deeply/],
];
for (const [what, expression, problem] of long) {
  test(`VAL-50 ${what}`, () => {
    if (problem === undefined) assert.equal(celProblem(expression), undefined);
    else assert.match(celProblem(expression) ?? "", problem);
  });
}
