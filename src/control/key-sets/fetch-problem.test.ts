import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchProblem } from "./fetch-problem.ts";

const problems: readonly [what: string, error: unknown, told: RegExp][] = [
  [
    "no way there",
    Object.assign(new Error("connect ENETUNREACH 192.0.2.2:80"), { code: "ENETUNREACH" }),
    /^connect ENETUNREACH 192\.0\.2\.2:80; where pods have networks .* --network loopback$/,
  ],
  [
    "nobody there",
    Object.assign(new Error("connect ECONNREFUSED 192.0.2.2:80"), { code: "ECONNREFUSED" }),
    /^connect ECONNREFUSED 192\.0\.2\.2:80$/,
  ],
  ["what is no error", "odd", /^odd$/],
];
for (const [what, error, told] of problems) {
  test(`keys cannot be fetched: ${what}`, () => {
    assert.match(fetchProblem(error), told);
  });
}
