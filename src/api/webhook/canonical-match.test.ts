import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "../decoder.ts";
import { ParseReport } from "../parse-report.ts";
import { yamlDocuments } from "../yaml-documents.ts";
import { canonicalMatch } from "./canonical-match.ts";

function canonical(yaml: string): string {
  const root = yamlDocuments(yaml)[0]?.root;
  assert.ok(root?.type === "map");
  return canonicalMatch(new Fields(root, { line: 1, path: "", report: new ParseReport("f") }));
}

const cases: [one: string, other: string, same: boolean][] = [
  ["{port: 1, uri: {exact: /}}", "{uri: {exact: /}, port: 1, name: a}", true],
  ["{port: 1, gateways: [], headers: {}, ignoreUriCase: false}", "{port: 1}", true],
  ["{port: 1, uri: {}}", "{port: 1}", false],
  ["{port: 1}", "{port: '1'}", false],
  ["{gateways: [a, b]}", "{gateways: [b, a]}", false],
  ["{headers: {a: {exact: b}, c: {exact: d}}}", "{headers: {c: {exact: d}, a: {exact: b}}}", true],
  ["{headers: [a, b]}", "{headers: {a: b}}", false],
  ["{headers: [[a, b]]}", "{headers: {a: b}}", false],
];
for (const [one, other, same] of cases) {
  test(`${one} and ${other} are ${same ? "the same" : "two"}`, () => {
    assert.equal(canonical(one) === canonical(other), same);
  });
}

test("a deep match has a text as long as it is itself", () => {
  const deep = `${"{a: ".repeat(60)}"x"${"}".repeat(60)}`;
  assert.ok(canonical(deep).length < 1_000);
});
