import assert from "node:assert/strict";
import { test } from "node:test";
import { expandPrincipal, expandTrustDomain } from "./trust-domain-aliases.ts";

const trust = { trustDomain: "new.example", trustDomainAliases: ["old.example", "older.test"] };
const all = ["new.example", "old.example", "older.test"];
const cartOf = (domains: readonly string[]): string[] =>
  domains.map((domain) => `${domain}/ns/shop/sa/cart`);

const principals: [what: string, value: string, expected: readonly string[]][] = [
  ["the mesh's own domain", "new.example/ns/shop/sa/cart", cartOf(all)],
  ["an alias", "older.test/ns/shop/sa/cart", cartOf(all)],
  ["cluster.local, whatever the mesh's name", "cluster.local/ns/shop/sa/cart", cartOf(all)],
  ["a foreign domain", "foreign.test/ns/shop/sa/cart", cartOf(["foreign.test"])],
  ["any domain", "*/ns/shop/sa/cart", cartOf(["*"])],
  ["no domain", "/ns/shop/sa/cart", cartOf([""])],
  ["a suffix of some", "*.example/ns/shop/sa/cart", cartOf(["*.example", "older.test"])],
  ["a suffix of none", "*.local/ns/shop/sa/cart", cartOf(["*.local"])],
  ["a prefix of some", "old*/ns/shop/sa/cart", cartOf(all)],
  ["a prefix of none", "x*/ns/shop/sa/cart", cartOf(["x*"])],
  ["a prefix of none that begins like one", "oak*/ns/shop/sa/cart", cartOf(["oak*"])],
  ["wildcards elsewhere", "new.example/ns/*/sa/*", all.map((domain) => `${domain}/ns/*/sa/*`)],
  ["four segments", "new.example/ns/shop/*", ["new.example/ns/shop/*"]],
  ["six segments", "new.example/ns/shop/sa/cart/x", ["new.example/ns/shop/sa/cart/x"]],
  ["with its scheme", "spiffe://new.example/ns/shop", ["spiffe://new.example/ns/shop"]],
  ["any at all", "*", ["*"]],
];
for (const [what, value, expected] of principals) {
  test(`AP-45d ${what}: ${value}`, () => assert.deepEqual(expandPrincipal(value, trust), expected));
}

test("AP-45d an alias that repeats the mesh's domain makes no second value", () => {
  const twice = { trustDomain: "td", trustDomainAliases: ["td", "cluster.local"] };
  assert.deepEqual(expandPrincipal("td/ns/shop/sa/cart", twice), cartOf(["td", "cluster.local"]));
});

const domains: [what: string, value: string, expected: readonly string[]][] = [
  ["the mesh's own", "new.example", all],
  ["an alias", "old.example", all],
  ["a foreign one", "foreign.test", ["foreign.test"]],
  ["cluster.local is no pointer here", "cluster.local", ["cluster.local"]],
  ["a pattern stands for itself", "*.example", ["*.example"]],
];
for (const [what, value, expected] of domains) {
  test(`AP-48 ${what}: ${value}`, () =>
    assert.deepEqual(expandTrustDomain(value, trust), expected));
}
