import assert from "node:assert/strict";
import { test } from "node:test";
import {
  composeSpiffeId,
  InvalidSpiffeIdError,
  parseSpiffeId,
  parseWorkloadIdentity,
  spiffeId,
  spiffePath,
  trustDomainOf,
} from "./spiffe-id.ts";

const valid = [
  "spiffe://cluster.local/ns/shop/sa/cart",
  "spiffe://td_1-x.example/A.b-c_9",
  "spiffe://cluster.local",
  "spiffe://cluster.local/...",
  "spiffe://cluster.local/.well-known",
];
for (const text of valid) {
  test(`accepts ${text}`, () => assert.equal(parseSpiffeId(text), text));
}

const invalid: [text: string, problem: RegExp][] = [
  ["", /is empty/],
  ["https://cluster.local/ns/shop", /does not start with/],
  ["SPIFFE://cluster.local/ns/shop", /does not start with/],
  ["spiffe:/cluster.local/ns/shop", /does not start with/],
  ["spiffe://", /trust domain is missing/],
  ["spiffe:///ns/shop", /trust domain is missing/],
  ["spiffe://Cluster.local/ns/shop", /not allowed/], // trust domains are lower case
  ["spiffe://cluster.local:443/ns/shop", /trust domain has a character/],
  ["spiffe://user@cluster.local/ns/shop", /trust domain has a character/],
  ["spiffe://cluster.local?x", /trust domain has a character/],
  ["spiffe://cluster.local/ns/shop?x", /path has a character/],
  ["spiffe://cluster.local/ns/shop#x", /path has a character/],
  ["spiffe://cluster.local/ns/%2e%2e", /path has a character/],
  ["spiffe://cluster.local/ns/shop\n", /path has a character/],
  ["spiffe://cluster.local/ns/caf\u00e9", /path has a character/],
  ["spiffe://cluster.local/ns//shop", /empty segment/],
  ["spiffe://cluster.local/ns//", /empty segment/],
  ["spiffe://cluster.local/ns/", /trailing slash/],
  ["spiffe://cluster.local/", /trailing slash/],
  ["spiffe://cluster.local/ns/../shop", /dot segment/],
  ["spiffe://cluster.local/ns/.", /dot segment/],
];
for (const [text, problem] of invalid) {
  test(`SPIFFE-ID 2.1, 2.2: rejects ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseSpiffeId(text),
      (error) => error instanceof InvalidSpiffeIdError && problem.test(error.message),
    );
  });
}

const wellFormed: [text: string, parts: ReturnType<typeof parseWorkloadIdentity>][] = [
  [
    "spiffe://cluster.local/ns/shop/sa/cart",
    { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "cart" },
  ],
  ["spiffe://td/ns/a.b/sa/ns", { trustDomain: "td", namespace: "a.b", serviceAccount: "ns" }],
];
for (const [text, parts] of wellFormed) {
  test(`CA-17: ${text} has five parts, and they make it again`, () => {
    assert.deepEqual(parseWorkloadIdentity(parseSpiffeId(text)), parts);
    assert.equal(spiffeId(parts), text);
  });
}

for (const text of [
  "spiffe://cluster.local",
  "spiffe://cluster.local/ns/shop/sa",
  "spiffe://cluster.local/ns/shop/sa/cart/extra",
  "spiffe://cluster.local/sa/cart/ns/shop",
  "spiffe://cluster.local/NS/shop/sa/cart",
]) {
  test(`CA-17: ${text} is no workload's identity`, () => {
    assert.throws(() => parseWorkloadIdentity(parseSpiffeId(text)), InvalidSpiffeIdError);
  });
}

test("CA-17: an @ in the trust domain becomes a dot", () => {
  const id = spiffeId({ trustDomain: "a@b.example", namespace: "shop", serviceAccount: "cart" });
  assert.equal(id, "spiffe://a.b.example/ns/shop/sa/cart");
});

for (const parts of [
  { trustDomain: "", namespace: "shop", serviceAccount: "cart" },
  { trustDomain: "td", namespace: "", serviceAccount: "cart" },
  { trustDomain: "td", namespace: "shop", serviceAccount: "" },
  { trustDomain: "td/ns/other", namespace: "shop", serviceAccount: "cart" },
  { trustDomain: "td", namespace: "shop/sa/admin", serviceAccount: "cart" },
  { trustDomain: "td", namespace: "shop", serviceAccount: "cart/admin" },
  { trustDomain: "td", namespace: "..", serviceAccount: "cart" },
]) {
  test(`parts that would make another identity are refused: ${JSON.stringify(parts)}`, () => {
    assert.throws(() => spiffeId(parts), InvalidSpiffeIdError);
  });
}

test("lengths: 255 bytes of trust domain, 2048 in all", () => {
  assert.equal(trustDomainOf(parseSpiffeId(`spiffe://${"a".repeat(255)}/x`)), "a".repeat(255));
  assert.throws(() => parseSpiffeId(`spiffe://${"a".repeat(256)}/x`), /longer than 255/);
  const rest = 2048 - "spiffe://td/".length;
  parseSpiffeId(`spiffe://td/${"x".repeat(rest)}`);
  assert.throws(() => parseSpiffeId(`spiffe://td/${"x".repeat(rest + 1)}`), /longer than 2048/);
});

test("a value from outside is quoted so that it cannot break a log line", () => {
  assert.throws(
    () => parseSpiffeId("spiffe://td/a\nlevel=info"),
    (error) => error instanceof InvalidSpiffeIdError && !error.message.includes("\n"),
  );
});

test("SPIFFE-ID 2.2: a path is made of segments, and begins with a slash or is empty", () => {
  assert.equal(spiffePath(["ns", "shop"]), "/ns/shop");
  assert.equal(spiffePath([]), "");
  assert.equal(composeSpiffeId("cluster.local", ""), "spiffe://cluster.local");
  assert.equal(composeSpiffeId("cluster.local", "/a/b"), "spiffe://cluster.local/a/b");
  for (const segment of ["", "/", "a/b", "..", "$"])
    assert.throws(() => spiffePath([segment]), InvalidSpiffeIdError);
  assert.throws(() => composeSpiffeId("cluster.local", "a"), /does not start with a slash/);
  assert.throws(() => composeSpiffeId("cluster.local/a", "/b"), /trust domain has a slash/);
});
