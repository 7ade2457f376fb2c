import assert from "node:assert/strict";
import { test } from "node:test";
import { ParseReport, toldOnce } from "./parse-report.ts";
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

function faulty(levels: readonly IssueLevel[], count: number): ParseReport {
  const report = new ParseReport("f");
  for (let line = count; line >= 1; line--) {
    for (const level of levels) report.at(level).issue({ line, path: `a${line}` }, "is wrong");
  }
  return report;
}

test("of each level a hundred issues are told, by line, and last how many more there are", () => {
  const { issues } = faulty(["schema", "webhook"], 150);
  assert.equal(issues.length, 202);
  assert.deepEqual(
    issues.slice(-2).map(({ problem, level, about }) => [problem, level, about]),
    [
      ["and 50 more faults of this document", "schema", "rest"],
      ["and 50 more faults of this document", "webhook", "rest"],
    ],
  );
  const lines = issues.slice(0, -2).map(({ source }) => source.line);
  assert.deepEqual(
    lines,
    lines.toSorted((one, other) => one - other),
  );
});

test("that there are more is told once, beside what is wrong at the same place", () => {
  const more = { ...issue("schema", "and 5 more", ""), about: "rest" } as const;
  const told = toldOnce([issue("document", "x", ""), more, { ...more, level: "webhook" }]);
  assert.deepEqual(
    told.map(({ problem, level }) => [problem, level]),
    [
      ["x", "document"],
      ["and 5 more", "webhook"],
    ],
  );
});

test("a level is full when it has a thousand issues, and another is not", () => {
  const report = faulty(["schema"], 1_000);
  assert.deepEqual([report.at("schema").isFull, report.at("webhook").isFull], [true, false]);
  assert.deepEqual([report.isFull, faulty(["schema"], 999).at("schema").isFull], [false, false]);
});

test("of each level a hundred notices are told, then how many more there are", () => {
  const report = new ParseReport("f");
  for (let line = 1; line <= 130; line++) report.at("webhook").notice({ line, path: "a" }, "odd");
  const notices = report.notices(1);
  assert.deepEqual(
    [notices.length, notices.at(-1)?.message, notices.at(-1)?.level],
    [101, "and 30 more such notes on this document", "webhook"],
  );
});

test("no message is endless, and none steers a terminal", () => {
  const report = new ParseReport("f");
  report.issue({ line: 1, path: "a" }, "\u202e\u001b[2J".repeat(100_000));
  const [{ problem } = { problem: "" }] = report.issues;
  assert.ok(problem.length < 20_000 && problem.startsWith("\\u{202e}\\u{1b}[2J"));
  assert.doesNotMatch(problem, /[\p{Cc}\p{Cf}]/u);
});
