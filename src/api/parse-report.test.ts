import assert from "node:assert/strict";
import { test } from "node:test";
import { toldOnce } from "./parse-report.ts";
import type { Issue, IssueLevel } from "./resource.ts";

function issue(level: IssueLevel | "own", problem: string, path = "spec.a"): Issue {
  const source = { file: "f", line: 1 };
  return level === "own" ? { source, path, problem } : { source, path, problem, level };
}

const cases: [what: string, issues: Issue[], told: string[]][] = [
  ["one fault", [issue("schema", "x")], ["x"]],
  ["two faults that one check finds", [issue("schema", "x"), issue("schema", "z")], ["x", "z"]],
  ["both gates: the webhook", [issue("schema", "x"), issue("webhook", "z")], ["z"]],
  [
    "both gates, of the type: who speaks of it",
    [{ ...issue("schema", "is a map"), about: "type" }, issue("webhook", "is missing")],
    ["is a map"],
  ],
  ["before the gates: that", [issue("own", "x"), issue("document", "z")], ["z"]],
  ["the schema and the reader: the schema", [issue("schema", "x"), issue("own", "z")], ["x"]],
  ["the webhook and the reader: the webhook", [issue("own", "x"), issue("webhook", "z")], ["z"]],
  ["the reader alone", [issue("own", "x"), issue("own", "z")], ["x", "z"]],
  ["two places", [issue("schema", "x", "spec.a"), issue("webhook", "z", "spec.b")], ["x", "z"]],
];
for (const [what, issues, told] of cases) {
  test(`told once: ${what}`, () => {
    assert.deepEqual(
      toldOnce(issues).map(({ problem }) => problem),
      told,
    );
  });
}
