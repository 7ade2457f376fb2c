import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeConnection } from "../policy-evaluation.ts";
import { type L4Rule, writtenRules } from "./connection-rules.ts";
import { connectionOf, NO_IDENTITY } from "./l4-connection.ts";
import { securityPolicy } from "./l4-policy.ts";

const connection = connectionOf({
  identity: "spiffe://td/ns/shop/sa/cart",
  src: "10.0.0.1:1000",
  dst: "[fd00::1]:80",
});

const onPort = (...destinationPorts: number[]) => ({ destinationPorts });
const inShop = { namespaces: [{ exact: "shop" }] };

const rules: [what: string, rules: readonly L4Rule[], matches: boolean][] = [
  ["no rules", [], false],
  ["a rule without clauses", [[]], true],
  ["a clause without matches", [[[]]], true],
  ["AP-147 a match without fields", [[[{}]]], false],
  ["a match without fields beside one that holds", [[[{}, inShop]]], true],
  ["all clauses of a rule", [[[inShop], [onPort(81)]]], false],
  ["one match of a clause", [[[onPort(81), inShop]]], true],
  ["all fields of a match", [[[{ ...inShop, ...onPort(81) }]]], false],
  ["one rule of two", [[[onPort(81)]], [[onPort(80)]]], true],
  ["one of several values", [[[onPort(81, 80)]]], true],
  ["none of several values", [[[{ notDestinationPorts: [81, 80] }]]], false],
  ["an account", [[[{ serviceAccounts: [{ namespace: "shop", serviceAccount: "cart" }] }]]], true],
  ["any principal", [[[{ principals: [{ presence: {} }] }]]], true],
  ["no principal", [[[{ notPrincipals: [{ presence: {} }] }]]], false],
  ["an address in base64", [[[{ sourceIps: [{ address: "CgAAAQ==", length: 32 }] }]]], true],
  [
    "an address of 16 bytes",
    [[[{ destinationIps: [{ address: "/QAAAAAAAAAAAAAAAAAAAQ==", length: 128 }] }]]],
    true,
  ],
];
for (const [what, policy, matches] of rules) {
  for (const action of ["ALLOW", "DENY"] as const) {
    test(`${what}, as ${action}`, () => {
      const policies = securityPolicy({ action, scope: "GLOBAL", rules: policy });
      const { reason } = judgeConnection({ policies }, connection);
      assert.equal(reason.because === `matched-${action.toLowerCase()}`, matches);
    });
  }
}

test("a field that is not known is not passed over", () => {
  assert.throws(
    () => writtenRules([[[{ ...inShop, portNames: ["http"] } as object]]]),
    /portNames/,
  );
});

test("SPIFFE-ID 2.2: a caller that no certificate can name is told apart", () => {
  const caller = (identity: string | null) => ({ identity, src: "10.0.0.1:1" });
  assert.ok(NO_IDENTITY.applies(caller("spiffe://td/ns/shop/sa/a=b")));
  assert.ok(!NO_IDENTITY.applies(caller("spiffe://td/ns/shop/sa/cart")));
  assert.ok(!NO_IDENTITY.applies(caller(null)));
});
