/** What is remembered of peers: it stays bounded, goes with the policies, and changes no answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTrust, connectionFrom, requestOn } from "../../test/kit/mesh-parts.ts";
import { authorizeRequest, type CompiledAuthorization, compileAuthorization } from "./authorize.ts";
import { ConnectionAuthorization } from "./connection-authorization.ts";

const MOST_PEERS = 10_000;

/** Allows one namespace. */
function allowing(namespace: string): CompiledAuthorization {
  const allow = [
    {
      ref: { kind: "AuthorizationPolicy", namespace: "shop", name: "p" },
      source: { file: "policies.yaml", line: 1 },
      action: "ALLOW",
      rules: [{ line: 2, from: [{ namespaces: [namespace] }], to: [], when: [] }],
    },
  ] as const;
  const effective = { custom: [], audit: [], deny: [], allow };
  return compileAuthorization(effective, { protocol: "http", trust: clusterTrust });
}

const caller = (account: number | string, namespace = "a") =>
  connectionFrom(`spiffe://cluster.local/ns/${namespace}/sa/${account}`);

test("of too many peers those bound first are forgotten, one at a time", () => {
  const compiled = allowing("a");
  const known = compiled.peers.byPrincipal;
  for (let account = 0; account <= MOST_PEERS; account++) {
    assert.equal(authorizeRequest(compiled, requestOn(caller(account))).verdict, "allow");
  }
  assert.equal(known.size, MOST_PEERS);
  assert.equal(known.has("spiffe://cluster.local/ns/a/sa/0"), false);
  assert.equal(known.has("spiffe://cluster.local/ns/a/sa/1"), true);
  assert.equal(known.has(`spiffe://cluster.local/ns/a/sa/${MOST_PEERS}`), true);
  const held = [...known.values()].reduce((sum, { enforced }) => sum + enforced.rules.bytes, 0);
  assert.equal(compiled.peers.bytes, held);
  assert.equal(authorizeRequest(compiled, requestOn(caller(0))).verdict, "allow");
});

test("all that is held of a peer is weighed: for what is enforced, on trial, audited and delegated", () => {
  const ref = { kind: "AuthorizationPolicy", namespace: "shop", name: "p" };
  const rules = [{ line: 2, from: [{ namespaces: ["a"] }], to: [], when: [] }];
  const written = { ref, source: { file: "policies.yaml", line: 1 }, rules };
  const compiled = compileAuthorization(
    {
      custom: [{ ...written, action: "CUSTOM", provider: "opa" }],
      audit: [{ ...written, action: "AUDIT" }],
      deny: [{ ...written, action: "DENY", dryRun: true }],
      allow: [{ ...written, action: "ALLOW" }],
    },
    { protocol: "http", trust: clusterTrust },
  );
  authorizeRequest(compiled, requestOn(caller(1)));
  authorizeRequest(compiled, requestOn(caller(2)));
  const parts = [...compiled.peers.byPrincipal.values()].flatMap(({ enforced, trial, audit }) => [
    audit.bound,
    ...[enforced, trial].flatMap((set) => (set ? [set.rules, ...set.custom] : [])),
  ]);
  assert.equal(parts.length, 2 * 5);
  assert.ok(parts.every(({ bytes }) => bytes > 0));
  assert.equal(
    compiled.peers.bytes,
    parts.reduce((sum, { bytes }) => sum + bytes, 0),
  );
});

test("a connection that stands is judged by the newest policies, and by the former ones again when they return", () => {
  const connection = caller("x");
  const authorization = new ConnectionAuthorization(connection);
  const [own, others] = [allowing("a"), allowing("b")];
  const verdicts = [own, own, others, others, own].map(
    (compiled) => authorization.judge(compiled, requestOn(connection)).verdict,
  );
  assert.deepEqual(verdicts, ["allow", "allow", "deny", "deny", "allow"]);
});
