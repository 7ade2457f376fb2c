import assert from "node:assert/strict";
import { test } from "node:test";
import { yamlDocuments } from "./yaml-documents.ts";

const MB = 1_000_000;

/** Of each a megabyte: without a bound, the library would take a gigabyte, or hours. */
const hostile: [what: string, text: string, problem: RegExp][] = [
  ["numbers", `[${"1,".repeat(MB / 2)}1]`, /more than 600000 words and marks; expected smaller/],
  ["empty maps", `[${"{},".repeat(MB / 3)}1]`, /more than 600000 words and marks/],
  ["nests", `- ${"[".repeat(60)}${"]".repeat(60)}\n`.repeat(MB / 123), /more than 600000 words/],
  ["brackets", "[".repeat(MB), /nested deeper than 64/],
  ["commas", `[${",".repeat(MB / 2)}]`, /is not valid YAML: Unexpected ,/],
  ["closing brackets", "]".repeat(MB), /more than 1000 syntax errors/],
  ["aliases", `a: &a 1\nb: [${"*a,".repeat(MB / 3)}1]`, /more than 20000 aliases/],
  ["documents", "---\na\n".repeat(MB / 6), /more than 20000 documents/],
  [
    "tags of YAML 1.1",
    `!!omap [${Array.from({ length: 40_000 }, (_, at) => `{a${at}: 1}`)}]`,
    /not valid YAML: Unresolved tag/,
  ],
];
for (const [what, text, problem] of hostile) {
  test(`a megabyte of ${what} is refused`, { timeout: 60_000 }, () => {
    const problems = yamlDocuments(text).flatMap(({ problems }) => problems);
    assert.match(problems.at(-1)?.problem ?? "", problem);
  });
}

test("what a bomb of aliases would repeat is counted, and refused once", () => {
  const level = (name: string, inside: string): string =>
    `${name}: &${name} [${Array.from({ length: 10 }, () => inside)}]\n`;
  const bomb = [..."bcdefghij"].map((name, at) => level(name, `*${"abcdefghij"[at]}`)).join("");
  const [document] = yamlDocuments(`${level("a", "1")}${bomb}`);
  assert.deepEqual(
    document?.problems.map(({ problem }) => problem),
    ["repeats more than 20000 values by aliases"],
  );
});

test("of ten thousand faults of keys a thousand are kept", () => {
  const [document] = yamlDocuments("k: 1\n".repeat(10_000));
  assert.equal(document?.problems.length, 1_000);
});

test("a megabyte of ordinary YAML is read", () => {
  const text = `items:\n${"  - 10.0.0.1/32\n".repeat(60_000)}`;
  const [document] = yamlDocuments(text);
  assert.ok(document?.root?.type === "map");
  const items = document.root.entries.get("items")?.node;
  assert.ok(items?.type === "list" && items.items.length === 60_000);
});
