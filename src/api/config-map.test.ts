import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";

const HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n";
const parse = (fields: string) => parseResources(`${HEAD}${fields}`, "mesh.yaml");
const issues = (fields: string): string[] =>
  parse(fields).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);

function configMap(fields: string) {
  const { resources, issues: found, notices } = parse(fields);
  assert.deepEqual(found, []);
  assert.deepEqual(notices, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "ConfigMap");
  return resource;
}

test("texts, bytes and immutability", () => {
  const { data, binaryData, immutable } = configMap(`data:
  policy.rego: |
    package a
    allow
  empty: ""
  constructor: text
binaryData: {icon: "AAH/\\n/w=="}
immutable: true`);
  assert.deepEqual(
    [...data],
    [
      ["policy.rego", "package a\nallow\n"],
      ["empty", ""],
      ["constructor", "text"],
    ],
  );
  assert.deepEqual([...(binaryData.get("icon") ?? [])], [0, 1, 255, 255]);
  assert.equal(immutable, true);
});

test("a ConfigMap without data is empty, and may change", () => {
  const { data, binaryData, immutable } = configMap("");
  assert.deepEqual([data.size, binaryData.size, immutable], [0, 0, false]);
});

const KIBIBYTE = "x".repeat(1024);
const invalid: [name: string, fields: string, issue: RegExp][] = [
  ["number", "data: {port: 80}", /^4 data\.port: is the number 80; expected text: write "80"$/],
  ["boolean", "data: {on_: yes}", /data\.on_: is the boolean yes; expected text: write "yes"$/],
  ["map", "data:\n  a: {b: c}", /^5 data\.a: is a map; expected text$/],
  ["nothing", "data: {a: }", /data\.a: is empty; expected text$/],
  ["data as a text", "data: text", /data: is "text"; expected a map$/],
  ["key with a slash", "data: {a/b: c}", /data\["a\/b"\]: is not a key of data/],
  ["key that is a folder", "data: {..: c}", /is not a key of data/],
  ["key that leads out", "data: {..a: c}", /is not a key of data/],
  ["key that is this folder", "data: {.: c}", /is not a key of data/],
  ["key too long", `data: {${"a".repeat(254)}: c}`, /is not a key of data/],
  ["not base64", "binaryData: {a: 'AA*='}", /binaryData\.a: is not base64/],
  ["base64 without its end", "binaryData: {a: AAA}", /binaryData\.a: is not base64/],
  ["base64 of URLs", "binaryData: {a: '__--'}", /binaryData\.a: is not base64/],
  ["key twice", "data: {a: b}\nbinaryData: {a: AAAA}", /^5 binaryData\.a: is in data too$/],
  ["immutable", "immutable: 'true'", /immutable: is "true"; expected true or false$/],
  ["unknown field", "dta: {}", /^4 dta: is not a known field; did you mean data\?$/],
  [
    "too much",
    `data: {${Array.from({ length: 1025 }, (_, at) => `k${at}: ${KIBIBYTE}`).join(", ")}}`,
    /^1 : has 1049600 bytes of data; at most 1048576 fit in$/,
  ],
];
for (const [name, fields, issue] of invalid) {
  test(`${name} is refused`, () => {
    const found = issues(fields);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(fields).resources, []);
  });
}

test("keys that only look odd are allowed", () => {
  const { data } = configMap("data: {.hidden: a, a..b: b, '1': c, -_.: d}");
  assert.deepEqual([...data.keys()].sort(), ["-_.", ".hidden", "1", "a..b"]);
});
