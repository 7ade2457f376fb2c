import assert from "node:assert/strict";
import { test } from "node:test";
import { expandVariables } from "./expand-variables.ts";

const variables = { PORT: "8080", HOST: "127.0.0.1", LOOP: "$(PORT)" };
const cases: [text: string, expected: string][] = [
  ["--listen=$(HOST):$(PORT)", "--listen=127.0.0.1:8080"],
  ["$(ABSENT)", "$(ABSENT)"],
  ["$$(PORT)", "$(PORT)"],
  ["$PORT $", "$PORT $"],
  ["$(LOOP)", "$(PORT)"],
  ["", ""],
];
for (const [text, expected] of cases) {
  test(`${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () =>
    assert.equal(expandVariables(text, variables), expected));
}
