import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePathTemplate, isPathTemplate, pathProblem } from "./path-template.ts";

const matches: [rule: string, template: string, path: string, matched: boolean][] = [
  ["MV-28", "/a/{*}/c", "/a/b/c", true],
  ["MV-29", "/a/{*}/c", "/a/b/b/c", false],
  ["MV-30", "/a/{**}", "/a/", true],
  ["AP-70 {**} needs its slash", "/a/{**}", "/a", false],
  ["MV-31", "/a/{**}/c", "/a/x/y/c", true],
  ["AP-70 {**} may be empty", "/a/{**}/c", "/a//c", true],
  ["AP-70 {*} is not empty", "/a/{*}/c", "/a//c", false],
  ["AP-70 {*} before {**}", "/{*}/b/{**}", "/a/b/c/d", true],
  ["AP-72 {*} takes any byte but a slash", "/a/{*}", '/a/=|"\u00e9*', true],
  ["AP-72 {**} takes any byte", "/a/{**}", "/a/x\ny|", true],
  ["AP-73 anchored", "/a/{*}", "/x/a/b", false],
  ["AP-73 anchored", "/a/{*}", "/a/b/", false],
  ["AP-73 case-sensitive", "/A/{*}", "/a/b", false],
  ["AP-71 literal dot", "/a.b/{*}", "/axb/c", false],
  ["AP-71 literal dollar", "/$a(b)/{*}", "/$a(b)/c", true],
];
for (const [rule, template, path, matched] of matches) {
  test(`${rule}: ${template} ${matched ? "matches" : "does not match"} ${JSON.stringify(path)}`, () => {
    assert.equal(pathProblem(template), undefined);
    assert.equal(compilePathTemplate(template)(path), matched);
  });
}

const problems: [path: string, problem: RegExp | undefined][] = [
  ["/plain", undefined],
  ["/plain*", undefined],
  ["/a//b", undefined],
  ["/{*}", undefined],
  ["/{**}/path/template", undefined],
  ["/{*}/{*}/{**}/", undefined],
  ["/{**}/{*}", /last operator/],
  ["/{**}/{**}", /last operator/],
  ["/a{*}", /stands alone/],
  ["/{**}.txt", /stands alone/],
  ["/{a}", /brace/],
  ["/a}", /brace/],
  ["/{*}/a*", /character/],
  ["/{*}//a", /empty segment/],
  ["/{*}/a b", /character/],
];
for (const [path, problem] of problems) {
  test(`AP-71, VAL-29: ${path} is ${problem === undefined ? "accepted" : "refused"}`, () => {
    if (problem === undefined) assert.equal(pathProblem(path), undefined);
    else assert.match(pathProblem(path) ?? "no problem", problem);
  });
}

test("AP-55: only {*} and {**} make a template", () => {
  assert.deepEqual(["/a/{*}", "/a/{**}/b", "/a*", "/{a}"].map(isPathTemplate), [
    true,
    true,
    false,
    false,
  ]);
});

test("a template of many segments is matched in linear time", () => {
  const matcher = compilePathTemplate(`${"/{*}".repeat(50)}/{**}/end`);
  const started = performance.now();
  assert.equal(matcher(`${"/a".repeat(20_000)}/en`), false);
  assert.ok(performance.now() - started < 500);
});
