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

test("a connection that stands is judged by the newest policies, and by the former ones again when they return", () => {
  const connection = caller("x");
  const authorization = new ConnectionAuthorization(connection);
  const [own, others] = [allowing("a"), allowing("b")];
  const verdicts = [own, own, others, others, own].map(
    (compiled) => authorization.judge(compiled, requestOn(connection)).verdict,
  );
  assert.deepEqual(verdicts, ["allow", "allow", "deny", "deny", "allow"]);
});
