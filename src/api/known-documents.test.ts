import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KnownDocuments } from "./known-documents.ts";
import { readDocuments } from "./parse-resources.ts";
import { textParts } from "./text-parts.ts";

const FILE = "mesh.yaml";

function policy(name: string, path = "/"): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  rules:
  - to: [{operation: {paths: ["${path}"]}}]
`;
}

function configMap(data: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n${data}`;
}

const WHOLE = [policy("one"), policy("two"), policy("three")].join("---\n");

test("documents stay the same objects where they stand as they stood; others are read", () => {
  const known = new KnownDocuments();
  const [one, two, three] = known.read(WHOLE, FILE);
  const changed = [policy("one"), policy("two", "/other"), policy("three")].join("---\n");
  const [stillOne, otherTwo, stillThree] = known.read(changed, FILE);
  assert.equal(stillOne, one);
  assert.equal(stillThree, three);
  assert.notEqual(otherTwo, two);
  assert.deepEqual(known.read(changed, FILE), readDocuments(changed, FILE));
  assert.equal(known.read(changed, FILE), known.read(changed, FILE));
});

test("a document that moved is read again: its lines are others", () => {
  const known = new KnownDocuments();
  known.read(WHOLE, FILE);
  const moved = `# one line more\n${WHOLE}`;
  assert.deepEqual(known.read(moved, FILE), readDocuments(moved, FILE));
});

test("the same text in another file is another document", () => {
  const known = new KnownDocuments();
  known.read(WHOLE, FILE);
  assert.deepEqual(known.read(WHOLE, "other.yaml"), readDocuments(WHOLE, "other.yaml"));
});

test("what is not retained is read anew, what is is not", () => {
  const known = new KnownDocuments();
  const [here] = known.read(WHOLE, FILE);
  const [there] = known.read(WHOLE, "other.yaml");
  known.retain(new Set([FILE]));
  assert.equal(known.read(WHOLE, FILE)[0], here);
  assert.notEqual(known.read(WHOLE, "other.yaml")[0], there);
});

const TEXTS: Readonly<Record<string, string>> = {
  nothing: "",
  "a mark alone": "---\n",
  "a mark and no line end": "---",
  "comments before the first mark": `# of the shop\n---\n${policy("one")}`,
  "empty documents between": `---\n---\n# none\n---\n${policy("one")}---\n`,
  "a document in the line of its mark": `--- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\t{apiVersion: v1, kind: Namespace, metadata: {name: b}}\n`,
  "line ends of Windows": WHOLE.replaceAll("\n", "\r\n"),
  "no line end at the end": WHOLE.trimEnd(),
  "a mark within a block is a mark": configMap("  mesh: |\n    accessLogFile: /dev/stdout\n---\n"),
  "what looks like a mark, further in": configMap("  mesh: |\n    ---\n    accessLogFile: /a\n"),
  "what begins like a mark": configMap("  mesh: |\n    a: b\n----\n"),
  "a block that keeps its empty lines": `${configMap("  mesh: |+\n    accessLogFile: /a\n\n\n")}---\n${policy("one")}`,
  "quotes over a mark": `a: "b\n---\nc"\n`,
  "two halves of quotes": `apiVersion: "v1\n---\nkind: "\n---\n${policy("one")}`,
  "brackets over a mark": "a: [b,\n---\nc]\n",
  "a directive": `%YAML 1.2\n---\n${policy("one")}`,
  "a directive further down": `${policy("one")}...\n%YAML 1.1\n---\n${policy("two")}`,
  "a document's end": `${policy("one")}...\n${policy("two")}---\n${policy("three")}`,
  "a byte order mark": `\uFEFF${WHOLE}`,
  "an anchor of another document": `a: &one 1\n---\nb: *one\n`,
  "a fault in the middle": `${policy("one")}---\nkind: [\n---\n${policy("two")}`,
  "a field that is not known": `${policy("one")}---\n${policy("two").replace("rules", "rule")}---\n${policy("three")}`,
  "a list": `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n${policy("one")}`,
  "a secret that cannot be read": `${policy("one")}---\nkind: Secret\ndata: {a: "}\n`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(`by parts as in one: ${name}`, () => {
    assert.deepEqual(new KnownDocuments().read(text, FILE), readDocuments(text, FILE));
  });
}

test("by parts as in one: all examples", () => {
  const files = readdirSync("examples", { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".yaml"),
  );
  assert.ok(files.length > 10);
  for (const file of files) {
    const text = readFileSync(join("examples", file), "utf8");
    assert.deepEqual(new KnownDocuments().read(text, file), readDocuments(text, file), file);
  }
});

test("parts, put together, are the whole, and each knows its first line", () => {
  const parts = textParts(WHOLE) ?? [];
  assert.equal(parts.map(({ text }) => text).join(""), WHOLE);
  assert.deepEqual(
    parts.map(({ linesBefore }) => WHOLE.split("\n")[linesBefore]),
    ["apiVersion: security.istio.io/v1", "---", "---"],
  );
});
