import assert from "node:assert/strict";
import { test } from "node:test";
import { ParseReport } from "../parse-report.ts";
import { yamlDocuments } from "../yaml-documents.ts";
import { checkSchema } from "./check-schema.ts";
import type { Rule } from "./rule.ts";
import {
  anyMap,
  choice,
  double,
  flag,
  int32,
  integer,
  list,
  mapOf,
  object,
  type Schema,
  text,
  uint32,
} from "./schema.ts";

/** Faults as `LINE PATH: PROBLEM`. */
function faults(schema: Schema, yaml: string): string[] {
  const report = new ParseReport("f");
  const node = yamlDocuments(yaml)[0]?.root;
  assert.ok(node !== undefined, "the YAML of the test is readable");
  checkSchema(schema, { node, path: "", report: report.at("schema") });
  return report.issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
}

const SHORT: Rule = { expression: "self.size() < 3", problem: "{value} is long" };
const ONE: Rule = {
  expression: "!has(self.a) || !has(self.b)",
  problem: "not both",
  about: ["a", "b"],
};
const BIG: Rule = { expression: "self > 2", problem: "is {value}; expected more" };

const cases: [what: string, schema: Schema, yaml: string, faults: string[]][] = [
  ["text", text(), "a: x", []],
  ["text, a number", text(), "a: 8", ['1 a: is the number 8; expected text: write "8"']],
  ["text, a boolean", text(), "a: on", ['1 a: is the boolean on; expected text: write "on"']],
  ["text, a map", text(), "a: {}", ["1 a: is a map; expected text"]],
  ["shortest text", text({ minLength: 1 }), "a: x", []],
  ["too short a text", text({ minLength: 1 }), "a: ''", ["1 a: must not be empty"]],
  ["too short by far", text({ minLength: 3 }), "a: xy", ["1 a: must have at least 3 characters"]],
  ["longest text", text({ maxLength: 3 }), "a: xyz", []],
  ["too long a text", text({ maxLength: 3 }), "a: wxyz", ["1 a: is longer than 3 characters"]],
  ["characters count, not code units", text({ maxLength: 2 }), "a: 😀😀", []],
  ["pattern", text({ pattern: /^[a-z]$/ }), "a: x", []],
  [
    "no pattern",
    text({ pattern: /^[a-z]$/ }),
    "a: xy",
    ['1 a: is "xy"; expected text of the form ^[a-z]$'],
  ],
  ["base64", text({ format: "base64" }), "a: aGk=", []],
  ["no base64", text({ format: "base64" }), "a: aGk", ["1 a: is not base64"]],
  ["choice", choice(["A", "B"]), "a: B", []],
  ["no choice", choice(["A", "B"]), "a: b", ['1 a: is "b"; expected one of A, B']],
  ["choice, a number", choice(["A", ""]), "a: 1", ['1 a: is the number 1; expected one of A, ""']],
  ["flag", flag(), "a: off", []],
  ["no flag", flag(), "a: 'true'", ['1 a: is "true"; expected true or false']],
  ["whole number", integer(), "a: 5.0", []],
  ["no whole number", integer(), "a: 5.5", ["1 a: is the number 5.5; expected a whole number"]],
  ["number as text", integer(), "a: '5'", ['1 a: is "5"; expected a whole number']],
  ["least and most", list(integer({ min: 1, max: 3 })), "a: [1, 3]", []],
  [
    "too small and too large",
    list(integer({ min: 1, max: 3 })),
    "a: [0, 4]",
    [
      "1 a[0]: is the number 0; expected a whole number from 1 to 3",
      "1 a[1]: is the number 4; expected a whole number from 1 to 3",
    ],
  ],
  ["int32", list(int32()), "a: [-2147483648, 2147483647]", []],
  [
    "beyond int32",
    int32({ min: 0 }),
    "a: 2147483648",
    ["1 a: is the number 2147483648; expected a whole number from 0 to 2147483647"],
  ],
  ["uint32", uint32(), "a: 4294967295", []],
  [
    "beyond uint32",
    uint32(),
    "a: -1",
    ["1 a: is the number -1; expected a whole number from 0 to 4294967295"],
  ],
  ["number", double({ min: 0 }), "a: 0.5", []],
  [
    "number too small",
    double({ min: 0 }),
    "a: -0.5",
    ["1 a: is the number -0.5; expected a number, at least 0"],
  ],
  [
    "number too large",
    double({ max: 1 }),
    "a: 2",
    ["1 a: is the number 2; expected a number, at most 1"],
  ],
  ["list", list(text()), "a: [x, z]", []],
  ["no list", list(text()), "a: x", ['1 a: is "x"; expected a list']],
  ["list too short", list(text(), { minItems: 1 }), "a: []", ["1 a: must have at least one item"]],
  [
    "list too long",
    list(text(), { maxItems: 1 }),
    "a: [x, z]",
    ["1 a: has 2 items; at most 1 are allowed"],
  ],
  [
    "items with one name",
    list(object({ name: text() }), { uniqueBy: "name" }),
    "a:\n- {name: x}\n- {}\n- {name: z}\n- {name: x}\n- {}",
    ['5 a[3]: has the same name as item 0: "x"'],
  ],
  ["map", mapOf(int32()), "a: {x: 1}", []],
  ["no map", mapOf(int32()), "a: [1]", ["1 a: is a list; expected a map"]],
  [
    "value of a map",
    mapOf(int32()),
    "a:\n  x.y: z",
    ['2 a["x.y"]: is "z"; expected a whole number from -2147483648 to 2147483647'],
  ],
  [
    "map too small",
    mapOf(text(), { minProperties: 1 }),
    "a: {}",
    ["1 a: must have at least one entry"],
  ],
  [
    "map too large",
    mapOf(text(), { maxProperties: 1 }),
    "a: {x: v, z: w}",
    ["1 a: has 2 entries; at most 1 are allowed"],
  ],
  ["keys", mapOf(text(), { keys: [SHORT] }), "a: {xy: v, xyz: w}", ["1 a.xyz: is long"]],
  ["what the user likes", anyMap, "a: {x: [1, {y: null}]}", []],
  ["what the user likes is a map", anyMap, "a: [1]", ["1 a: is a list; expected a map"]],
  [
    "a field that is missing",
    object({ x: text() }, { required: ["x"] }),
    "a: {}",
    ["1 a.x: is missing"],
  ],
  [
    "a field that is null",
    object({ x: text() }, { required: ["x"] }),
    "a:\n  x:",
    ["2 a.x: must not be empty"],
  ],
  [
    "an unknown field",
    object({ timeout: text() }),
    "a:\n  timeuot: x",
    ["2 a.timeuot: is not a known field; did you mean timeout?"],
  ],
  [
    "a field of every object in JavaScript",
    object({}),
    "a: {constructor: x}",
    ["1 a.constructor: is not a known field"],
  ],
  [
    "one of a group",
    object({ x: text(), y: text() }, { atMostOneOf: [["x", "y"]] }),
    "a: {y: v}",
    [],
  ],
  [
    "two of a group",
    object({ x: text(), y: text() }, { atMostOneOf: [["x", "y"]] }),
    "a:\n  y: v\n  x: w",
    ["2 a.y: must not be given together with x: only one of x, y"],
  ],
  [
    "two of a group, one null",
    object({ x: text(), y: text() }, { atMostOneOf: [["x", "y"]] }),
    "a: {y: v, x: null}",
    [],
  ],
  ["null is absent", object({ x: text({ minLength: 1 }) }), "a: {x: null}", []],
  [
    "null in a map is absent",
    mapOf(text(), { minProperties: 1 }),
    "a: {x: null}",
    ["1 a: must have at least one entry"],
  ],
  ["null in a list is a fault", list(text()), "a: [x, null]", ["1 a[1]: is empty; expected text"]],
  [
    "null where it is a value",
    object({ x: flag({ nullable: true }) }, { required: ["x"] }),
    "a: {x: null}",
    [],
  ],
  ["null as an item where it is a value", list(flag({ nullable: true })), "a: [null]", []],
  ["a rule that holds", text({ rules: [SHORT] }), "a: xy", []],
  ["a rule that does not", text({ rules: [SHORT] }), "a: xyz", ['1 a: "xyz" is long']],
  ["a rule about a whole number", integer({ rules: [BIG] }), "a: 2", ["1 a: is 2; expected more"]],
  [
    "a rule is told at its field",
    object({ a: text(), b: text() }, { rules: [ONE] }),
    "a:\n  b: v\n  a: w",
    ["2 a.b: not both"],
  ],
  [
    "a rule sees no null",
    object({ a: text(), b: text() }, { rules: [ONE] }),
    "a: {a: v, b: null}",
    [],
  ],
  [
    "a rule sees no unknown field",
    object({ a: text() }, { rules: [ONE] }),
    "a: {a: v, b: w}",
    ["1 a.b: is not a known field"],
  ],
  [
    "a rule waits for its structure",
    object({ a: text(), b: text() }, { rules: [ONE] }),
    "a: {a: v, b: 1}",
    ['1 a.b: is the number 1; expected text: write "1"'],
  ],
];
for (const [what, schema, yaml, expected] of cases) {
  test(`schema: ${what}`, () => {
    const found = faults(object({ a: schema }), yaml);
    assert.deepEqual(found, expected);
  });
}

test("all faults are told at once, each with its line", () => {
  const schema = object(
    { name: text(), ports: list(object({ number: uint32() }, { required: ["number"] })) },
    { required: ["name", "host"] },
  );
  assert.deepEqual(faults(schema, "nam: x\nports:\n- number: a\n- {}\n- numbr: 1\n"), [
    "1 nam: is not a known field; did you mean name?",
    "1 name: is missing",
    "1 host: is missing",
    '3 ports[0].number: is "a"; expected a whole number from 0 to 4294967295',
    "4 ports[1].number: is missing",
    "5 ports[2].numbr: is not a known field; did you mean number?",
    "5 ports[2].number: is missing",
  ]);
});

const UNITS: Rule = { expression: "self == 'x'", problem: "is wrong" };

test("what is in a list or map that is too long is not looked at", () => {
  const items = list(object({ a: text({ rules: [UNITS] }) }), { maxItems: 3, uniqueBy: "a" });
  const entries = mapOf(text({ rules: [UNITS] }), { maxProperties: 2, keys: [UNITS] });
  const yaml = "list: [{a: y}, {a: y}, {b: z}, 5]\nmap: {k: y, l: [], m: 1}";
  assert.deepEqual(faults(object({ list: items, map: entries }), yaml), [
    "1 list: has 4 items; at most 3 are allowed",
    "2 map: has 3 entries; at most 2 are allowed",
  ]);
});

test("of 15,000 unknown fields a hundred are told, few with a name that may be meant", () => {
  const fields = Array.from({ length: 15_000 }, (_, at) => `selecto${at}: 1`);
  const told = faults(object({ selector: text() }), `{${fields}}`);
  assert.equal(told.length, 101);
  assert.equal(told.at(-1), "1 : and at least 900 more faults of this document");
  assert.equal(told.filter((fault) => fault.includes("did you mean")).length, 20);
});
