import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseResources } from "./parse-resources.ts";

const HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\n";
const parse = (fields: string) => parseResources(`${HEAD}${fields}`, "mesh.yaml");

/** Everything that is said about a text. */
function said(text: string): string[] {
  const { issues, notices } = parseResources(text, "mesh.yaml");
  return [
    ...issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`),
    ...notices.map(({ source, path, message }) => `${source.line} ${path}: ${message}`),
  ];
}

function secret(fields: string) {
  const { resources, issues } = parse(fields);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Secret");
  const { type, immutable, data } = resource;
  const texts = [...data].map(([key, bytes]) => [key, Buffer.from(bytes).toString("utf8")]);
  return { type, immutable, data: Object.fromEntries(texts) };
}

test("data is decoded, and stringData wins", () => {
  const fields = `data: {user: YWRtaW4=, word: b2xk}\nstringData: {word: new, empty: ""}`;
  assert.deepEqual(secret(fields), {
    type: "Opaque",
    immutable: false,
    data: { user: "admin", word: "new", empty: "" },
  });
});

test("type and immutability", () => {
  const tls = "type: kubernetes.io/tls\nimmutable: true\n";
  const { type, immutable } = secret(`${tls}data: {tls.crt: YQ==}\nstringData: {tls.key: b}`);
  assert.deepEqual([type, immutable], ["kubernetes.io/tls", true]);
  assert.equal(secret("type: ''").type, "Opaque");
});

const invalid: [name: string, fields: string, issue: RegExp][] = [
  ["plain text", "data: {word: hunter2}", /^4 data\.word: is not base64/],
  ["number", "data: {word: 271828}", /^4 data\.word: is a number; expected text: write it in/],
  ["boolean", "stringData:\n  word: yes", /^5 stringData\.word: is a boolean; expected text/],
  ["map", "stringData: {word: {a: hunter2}}", /stringData\.word: is a map; expected text$/],
  ["text for a map", "stringData: hunter2", /^4 stringData: is text; expected a map$/],
  ["list for a map", "data: [hunter2]", /^4 data: is a list; expected a map$/],
  ["key", "stringData: {a b: hunter2}", /stringData\["a b"\]: is not a key of data/],
  ["unknown field", "datas: {a: hunter2}", /^4 datas: is not a known field; did you mean data\?$/],
  ["immutable", "immutable: hunter2", /^4 immutable: is text; expected true or false$/],
  [
    "half a key pair",
    "type: kubernetes.io/tls\ndata: {tls.crt: YQ==}",
    /^5 data: needs tls\.key, because of the type kubernetes\.io\/tls$/,
  ],
  [
    "too much",
    `stringData: {a: ${"x".repeat(1024 * 1024 + 1)}}`,
    /has 1048577 bytes of data; at most 1048576 fit in$/,
  ],
];
for (const [name, fields, issue] of invalid) {
  test(`${name} is refused, and not repeated`, () => {
    const found = said(`${HEAD}${fields}`);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.doesNotMatch(found[0] ?? "", /hunter2|271828|xxxx/);
    assert.deepEqual(parse(fields).resources, []);
  });
}

const brokenYaml: [name: string, fields: string][] = [
  ["an alias", "stringData: {word: *hunter2}"],
  ["a tag", "stringData:\n  word: !hunter2 a"],
  ["a verbatim tag", "stringData:\n  word: !<hunter2 a"],
  ["a block header", "stringData:\n  word: |hunter2"],
  ["text after a quoted one", 'stringData:\n  word: "a"hunter2'],
  ["an escape", 'stringData:\n  word: "\\xhunter2"'],
  ["a line out of place", "stringData:\n  word: a\n hunter2\nb: c"],
  ["an open bracket", "stringData: {word: hunter2"],
  ["a stray bracket", "stringData: {word: a}}hunter2"],
];
for (const [name, fields] of brokenYaml) {
  test(`a Secret that is no YAML, because of ${name}, is refused and not repeated`, () => {
    const found = said(`${HEAD}${fields}`);
    assert.ok(found.length > 0);
    for (const one of found) assert.doesNotMatch(one, /hunter2|unte/);
  });
}

test("a Secret inside a list is not repeated either", () => {
  const item = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {word: 271828}}";
  const found = said(`apiVersion: v1\nkind: List\nitems: [${item}]`);
  assert.deepEqual(found, [
    "3 items[0].stringData.word: is a number; expected text: write it in quotes",
  ]);
});

test("other kinds still show what was written, also beside a Secret", () => {
  const text = `${HEAD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: 271828}`;
  assert.match(said(text).join("\n"), /is the number 271828/);
});

test("law: nothing that is said about a Secret has a value of it", () => {
  const marked = fc.constantFrom("q7q7q7", "cTdxN3E3==", 777_000_777, -777_000_777.5, "q7q7q7\n");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      marked,
      fc.array(tie("value"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("a", "b", "word"), tie("value"), { maxKeys: 2 }),
    ),
  }));
  const fields = fc.constantFrom("data", "stringData", "immutable", "datas", "spec");
  let refused = 0;
  fc.assert(
    fc.property(fc.dictionary(fields, value, { minKeys: 1 }), (written) => {
      const metadata = { name: "a", namespace: "b" };
      const document = { apiVersion: "v1", kind: "Secret", metadata, ...written };
      const found = said(JSON.stringify(document, undefined, 1));
      if (found.length > 0) refused++;
      for (const one of found) assert.doesNotMatch(one, /q7|cTdx|777/);
    }),
    { numRuns: 500 },
  );
  assert.ok(refused > 100);
});
