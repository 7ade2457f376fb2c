import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenPayload } from "./token-payload.ts";

type Payload = Readonly<Record<string, unknown>>;
const cases: [rule: string, payload: Payload, claims: readonly string[], seen: Payload][] = [
  ["JWT-65 scope", { scope: "read write" }, [], { scope: ["read", "write"] }],
  ["JWT-65 permission", { permission: "a" }, [], { permission: ["a"] }],
  ["JWT-65 spaces around", { scope: "  a  b " }, [], { scope: ["a", "b"] }],
  ["JWT-65 nothing but spaces", { scope: " " }, [], { scope: [] }],
  ["JWT-65 another claim stays one text", { groups: "a b" }, [], { groups: "a b" }],
  ["JWT-65 named by the rule", { groups: "a b" }, ["groups"], { groups: ["a", "b"] }],
  ["JWT-65 a list stays a list", { scope: ["a b", "c"] }, [], { scope: ["a b", "c"] }],
  ["JWT-65 only spaces divide", { scope: "a\tb,c" }, [], { scope: ["a\tb,c"] }],
  ["JWT-65 not inside of claims", { a: { scope: "b c" } }, ["a.scope"], { a: { scope: "b c" } }],
  ["JWT-65 nothing is made up", { sub: "a" }, ["constructor", "x"], { sub: "a" }],
  ["JWT-65 not a number", { scope: 7 }, [], { scope: 7 }],
];
for (const [rule, payload, spaceDelimitedClaims, seen] of cases) {
  test(`${rule}: ${JSON.stringify(payload)} with [${spaceDelimitedClaims}]`, () => {
    assert.deepEqual(tokenPayload(payload, { spaceDelimitedClaims }), seen);
  });
}

test("JWT-65: a claim named __proto__ is a claim like any other", () => {
  const payload: Payload = JSON.parse('{"__proto__": "a b"}');
  const seen = tokenPayload(payload, { spaceDelimitedClaims: ["__proto__"] });
  assert.deepEqual(Object.entries(seen), [["__proto__", ["a", "b"]]]);
});
