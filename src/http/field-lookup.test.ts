import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldLookup } from "./field-lookup.ts";
import { RequestHead } from "./http1/request-head.ts";

const head = new RequestHead();
const lines = [
  "Host: a",
  "X-Role: user",
  "Cookie: a=b",
  "x-rolex: no",
  "x-ROLE:  admin ",
  "COOKIE: c",
  "x-a:",
];
const bytes = Buffer.from(["GET / HTTP/1.1", ...lines, "", ""].join("\r\n"));
head.scan(bytes, 0, bytes.length);

for (const [name, joined, found] of [
  ["x-role", "user,admin", [1, 4]],
  ["X-Role", "user,admin", [1, 4]],
  ["cookie", "a=b,c", [2, 5]],
  ["x-a", "", [6]],
  ["x-rol", undefined, []],
  ["x-b", undefined, []],
  ["user-agent", undefined, []],
  ["\u0168ost", undefined, []],
  ["", undefined, []],
] as const) {
  test(`AP-80, QK-7, QK-8: the values of ${name} are ${joined}`, () => {
    const lookup = new FieldLookup(name);
    assert.equal(lookup.joinedValue(head), joined);
    const places: number[] = [];
    for (let at = lookup.find(head); at >= 0; at = lookup.find(head, at + 1)) places.push(at);
    assert.deepEqual(places, found);
  });
}
