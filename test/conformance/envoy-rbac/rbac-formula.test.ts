import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesMatchRequest } from "../policy-evaluation.ts";
import { requestOf } from "./envoy-request.ts";
import { type EnvoyCondition, isSayable, rulesOf } from "./rbac-formula.ts";

const port = (value: number): EnvoyCondition => ({ destinationPort: value });
const from = (addressPrefix: string): EnvoyCondition => ({
  directRemoteIp: { addressPrefix, prefixLen: 32 },
});
const any: EnvoyCondition = { any: true };
const and = (...rules: EnvoyCondition[]): EnvoyCondition => ({ andRules: { rules } });
const or = (...rules: EnvoyCondition[]): EnvoyCondition => ({ orRules: { rules } });
const not = (notRule: EnvoyCondition): EnvoyCondition => ({ notRule });

const request = requestOf({ localAddress: "1.2.3.4:80", directRemoteAddress: "9.9.9.9:1000" });

const formulas: [what: string, condition: EnvoyCondition, matches: boolean][] = [
  ["a condition that holds", port(80), true],
  ["a condition that does not", port(81), false],
  ["all of none", and(), true],
  ["one of none", or(), false],
  ["all, where one fails", and(port(80), from("9.9.9.8")), false],
  ["all", and(port(80), from("9.9.9.9")), true],
  ["one of two", or(port(81), from("9.9.9.9")), true],
  ["none of two", or(port(81), from("9.9.9.8")), false],
  ["not any", not(any), false],
  ["not not any", not(not(any)), true],
  ["not one of two", not(or(port(81), from("9.9.9.8"))), true],
  ["not one of two, where one holds", not(or(port(80), from("9.9.9.8"))), false],
  ["not all of two", not(and(port(80), from("9.9.9.8"))), true],
  ["not all of two, where all hold", not(and(port(80), from("9.9.9.9"))), false],
  ["alternatives within all", and(or(port(81), port(80)), or(any, port(82))), true],
  ["a range, without its end", { destinationPortRange: { start: 79, end: 81 } }, true],
  ["a range that ends before", { destinationPortRange: { start: 79, end: 80 } }, false],
];
for (const [what, condition, matches] of formulas) {
  test(`${what}: ${JSON.stringify(condition)}`, () => {
    assert.equal(rulesMatchRequest(rulesOf([[condition]]), request), matches);
  });
}

const headers: [what: string, header: object, value: string | undefined, matches: boolean][] = [
  ["exact", { stringMatch: { exact: "a" } }, "a", true],
  ["absent", { stringMatch: { exact: "a" } }, undefined, false],
  ["inverted", { stringMatch: { exact: "a" }, invertMatch: true }, "b", true],
  ["inverted, and the same", { stringMatch: { exact: "a" }, invertMatch: true }, "a", false],
  ["present, and empty", { presentMatch: true }, "", true],
  ["absent is wanted", { presentMatch: false }, undefined, true],
  ["absent is wanted, and it is there", { presentMatch: false }, "a", false],
];
for (const [what, header, value, matches] of headers) {
  test(`a header: ${what}`, () => {
    const asked = requestOf({ headers: value === undefined ? {} : { "X-Text": value } });
    const rules = rulesOf([[{ header: { name: "x-text", ...header } }]]);
    assert.equal(rulesMatchRequest(rules, asked), matches);
  });
}

test("a condition of another kind is not sayable, however deep it stands", () => {
  assert.ok(isSayable(and(or(port(80)), not(any))));
  assert.ok(!isSayable(and(or(not({ metadata: {} })))));
});
