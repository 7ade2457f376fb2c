import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readJsonObject } from "./strict-json.ts";

const refused: [what: string, text: string][] = [
  ["no JSON", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"a"'],
  ["a name twice", '{"a":1,"a":2}'],
  ["a name twice, the same value", '{"a":1,"a":1}'],
  ["a name twice, written in two ways", '{"a":1,"\\u0061":2}'],
  ["a name twice, further down", '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
  ["a name twice, with spaces", '{"a" : 1 , "a"\n:2}'],
  ["nested too deep", `${'{"a":'.repeat(40)}1${"}".repeat(40)}`],
];
for (const [what, text] of refused) {
  test(`refuses ${what}`, () => assert.equal(readJsonObject(text), undefined));
}

const read: [what: string, text: string][] = [
  ["an empty object", "{}"],
  ["one name in two objects", '{"a":{"b":1},"c":{"b":1},"b":2}'],
  ["a value that looks like a name", '{"a":"a","b":["a","a"],"c":"\\"a\\":"}'],
  ["escaped quotes and backslashes", '{"a\\"":1,"a\\\\":2,"a":3}'],
  ["a name that objects have anyway", '{"__proto__":1,"constructor":2}'],
];
for (const [what, text] of read) {
  test(`reads ${what}`, () =>
    assert.equal(JSON.stringify(readJsonObject(text)), JSON.stringify(JSON.parse(text))));
}

test("law: what JSON.stringify writes of an object is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
      const text = JSON.stringify(value, undefined, 1);
      assert.equal(JSON.stringify(readJsonObject(text)), JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("law: a member that is added once more is refused", () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
  fc.assert(
    fc.property(objects, fc.nat(), (value, index) => {
      const names = Object.keys(value);
      const name = names[index % names.length] ?? "";
      const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:0}`;
      assert.equal(readJsonObject(text), undefined);
    }),
  );
});
