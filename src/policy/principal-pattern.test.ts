/** Edges of what rules say about identity; the vectors of appendix B are in `authorize.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileNamespace, compileServiceAccount } from "./principal-pattern.ts";

const principal = (namespace: string, account: string): string =>
  `spiffe://cluster.local/ns/${namespace}/sa/${account}`;

const namespaces: [value: string, namespace: string, account: string, matches: boolean][] = [
  ["shop*", "shop-eu", "web", true],
  ["*shop", "eu-shop", "web", true],
  ["*o*p", "shop", "web", true],
  ["*o*p", "shoe", "web", false],
  ["s*o*o*p", "shop", "web", false],
  ["s*o*o*p", "shoop", "web", true],
  ["sh*hop", "shop", "web", false],
  ["sh*", "eu-shop", "web", false],
  ["sh*/sa", "shop", "web", true],
  ["sh*/s", "shop", "web", false],
  ["sh*/sa/w", "shop", "web", false],
];
for (const [value, namespace, account, matches] of namespaces) {
  test(`AP-46, AP-90 namespaces ${value} ${matches ? "means" : "does not mean"} ${namespace}`, () => {
    assert.equal(compileNamespace(value)(principal(namespace, account)), matches);
  });
}

test("AP-47, VAL-27 a service account of 320 characters is one, of 321 none", () => {
  const longest = "a".repeat(320);
  assert.equal(compileServiceAccount(longest, "shop")?.(principal("shop", longest)), true);
  assert.equal(compileServiceAccount(`${longest}a`, "shop"), undefined);
});

const accounts: [value: string, principal: string, matches: boolean][] = [
  ["shop/web", "spiffe://td/ns/shop/sa/web", true],
  ["shop/web", "spiffe://td/ns/shop/sa/web/more", true],
  ["shop/web", "spiffe://td/ns/shop/x/sa/web", true],
  ["shop/web", "spiffe://td/ns/shop//sa/web", false],
  ["shop/web", "spiffe://td/ns/shop//x/sa/web", true],
  ["shop/web", "spiffe://td/ns/shop/x/y/sa/web", true],
  ["shop/web", "spiffe:///ns/shop/sa/web", false],
  // A text that JavaScript gives to what is not there: such a principal has no account at all.
  ["shop/undefined", "spiffe://td/ns/shop/sa", false],
  ["shop/undefined", "spiffe://td/ns/shop/x/sa", false],
];
for (const [value, of, matches] of accounts) {
  test(`AP-47 serviceAccounts ${value} ${matches ? "means" : "does not mean"} ${of}`, () => {
    assert.equal(compileServiceAccount(value, "shop")?.(of), matches);
  });
}
