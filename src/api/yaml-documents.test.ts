import assert from "node:assert/strict";
import { test } from "node:test";
import { type YamlNode, yamlDocuments } from "./yaml-documents.ts";

/** Maps and lists as plain values, without lines. */
function plain(node: YamlNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.type === "scalar") return node.value;
  if (node.type === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.node)]));
}

const scalars: [text: string, value: unknown][] = [
  ["yes", true],
  ["Off", false],
  ["n", false],
  ['"yes"', "yes"],
  ["true", true],
  ["yesterday", "yesterday"],
  ["010", 8],
  ["0o10", 8],
  ["08", 8],
  ["0x10", 16],
  ["1.5", 1.5],
  ["~", null],
  ["2026-01-31", "2026-01-31"],
  ["12:30:45", "12:30:45"],
  ["!!str 8", "8"],
];
for (const [text, value] of scalars) {
  test(`reads ${text} as Kubernetes does`, () => {
    assert.deepEqual(plain(yamlDocuments(`a: ${text}`)[0]?.root), { a: value });
  });
}

test("keys are texts, whatever they look like", () => {
  assert.deepEqual(plain(yamlDocuments("8080: a\ntrue: b\n'<<': c")[0]?.root), {
    8080: "a",
    true: "b",
    "<<": "c",
  });
});

test("every key, item and line of a block text knows its line", () => {
  const [document] = yamlDocuments("# first\na:\n  - b\n  -\n    c: d\ntext: |\n  one\n  two\n");
  const root = document?.root;
  assert.ok(root?.type === "map");
  const a = root.entries.get("a");
  assert.equal(a?.line, 2);
  assert.ok(a?.node.type === "list");
  assert.deepEqual(
    a.node.items.map(({ line }) => line),
    [3, 5],
  );
  const text = root.entries.get("text")?.node;
  assert.ok(text?.type === "scalar");
  assert.deepEqual([text.lineOfText(1), text.lineOfText(2)], [7, 8]);
});

const broken: [text: string, line: number, problem: RegExp][] = [
  ["a: b\nc: [1", 2, /not valid YAML/],
  ["a: b\na: c", 2, /"a" is given twice/],
  ["8: b\n'8': c", 2, /"8" is given twice/],
  ["a: *b", 1, /\*b is unknown/],
  ["a: !secret b", 1, /not valid YAML: Unresolved tag/],
  ["? [a]\n: b", 1, /a key that is not plain text/],
  ["a:\n  <<: text", 2, /<< merges only maps/],
  ["%YAML 1.1\n---\na: 2026-01-31", 3, /neither text, number nor boolean/],
  ["a: 1\n b: 2", 1, /not valid YAML/],
];
for (const [text, line, problem] of broken) {
  test(`${JSON.stringify(text)} is a problem in line ${line}`, () => {
    const [document] = yamlDocuments(text);
    assert.equal(document?.root, undefined);
    const found = document?.problems ?? [];
    assert.ok(
      found.some((one) => one.line === line && problem.test(one.problem)),
      JSON.stringify(found),
    );
  });
}

const typingErrors: [what: string, text: string, line: number][] = [
  ["a list that is not closed", "a: [{b: [c, {d: e}]\nf: g\nh: i\n", 2],
  ["a map that is not closed", "a:\n- {b: c, d: [e}\nf: {g: h}\n", 2],
];
for (const [what, text, line] of typingErrors) {
  test(`one typing error is one fault: ${what}`, () => {
    const found = yamlDocuments(text).flatMap(({ problems }) => problems);
    assert.deepEqual(
      found.map((problem) => problem.line),
      [line],
    );
  });
}

test("a broken document leaves the ones around it readable", () => {
  const documents = yamlDocuments("a: 1\n---\nb: [\n---\nc: 3\n");
  assert.deepEqual(
    documents.map(({ root }) => plain(root)),
    [{ a: 1 }, undefined, { c: 3 }],
  );
});
