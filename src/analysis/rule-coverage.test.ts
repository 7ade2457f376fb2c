/** Where one rule is said to cover another, no request tells otherwise; and what people would call covered is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clusterTrust, connectionFrom, requestOn } from "../../test/kit/mesh-parts.ts";
import { printPolicy } from "../../test/kit/policy-yaml.ts";
import type { AuthorizationRule } from "../api/authorization-policy.ts";
import {
  authorizeConnection,
  authorizeRequest,
  compileAuthorization,
} from "../policy/authorize.ts";
import type { AppliedPolicy } from "../policy/workload-view.ts";
import { AnalyzedMesh } from "./analyzed-mesh.ts";
import { rulesOf, type WrittenRule } from "./authorization-rules.ts";
import { coversRule } from "./rule-coverage.ts";

function written(text: string): readonly WrittenRule[] {
  const mesh = new AnalyzedMesh([{ file: "p.yaml", text }], { now: new Date(0) });
  return mesh.of("AuthorizationPolicy").flatMap(rulesOf);
}

const policyOf = (
  rule: AuthorizationRule,
  action: "ALLOW" | "DENY",
  name = "one",
): AppliedPolicy => ({
  ref: { kind: "AuthorizationPolicy", namespace: "x", name },
  source: { file: "p.yaml", line: 1 },
  action,
  rules: [rule],
});

const some = (...values: string[]): fc.Arbitrary<string[]> =>
  fc.subarray(values, { minLength: 1, maxLength: 2 });
const optional = { requiredKeys: [] };
const ofSource = fc.record(
  {
    principals: some("*", "*/sa/a", "cluster.local/ns/x/sa/a", "cluster.local/ns/*"),
    notPrincipals: some("*/sa/b", "cluster.local/ns/x/sa/a"),
    namespaces: some("x", "y", "x*", "*"),
    ipBlocks: some("10.0.0.0/8", "10.0.0.1"),
  },
  optional,
);
const ofOperation = fc.record(
  {
    methods: some("GET", "PUT", "*"),
    paths: some("/a", "/a*", "/a/*", "*b", "/{*}", "/{**}", "*"),
    notPaths: some("/a", "/a/b"),
    hosts: some("API", "api", "*.x", "*"),
    ports: some("8080", "9090"),
  },
  optional,
);
const condition = fc.record({
  key: fc.constantFrom("request.headers[x]", "source.namespace"),
  values: fc.subarray(["a", "b", "x"]),
  notValues: fc.subarray(["b"]),
});
const isWritten = (fields: object): boolean => Object.keys(fields).length > 0;
const rule: fc.Arbitrary<AuthorizationRule> = fc.record({
  line: fc.constant(1),
  from: fc.array(ofSource.filter(isWritten), { maxLength: 2 }),
  to: fc.array(ofOperation.filter(isWritten), { maxLength: 1 }),
  when: fc.array(condition, { maxLength: 1 }),
});
const asked = fc.record({
  principal: fc.constantFrom(
    "spiffe://cluster.local/ns/x/sa/a",
    "spiffe://cluster.local/ns/xy/sa/b",
    "spiffe://cluster.local/ns/y/sa/a",
    "plaintext",
  ),
  sourceAddress: fc.constantFrom("10.0.0.1", "10.0.0.2", "127.0.0.1"),
  method: fc.constantFrom("GET", "PUT"),
  path: fc.constantFrom("/a", "/a/b", "/a/b/c", "/ab", "/c"),
  authority: fc.constantFrom("api", "API", "v.x"),
  header: fc.constantFrom("a", "b", "c"),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

function isAllowed(given: readonly AppliedPolicy[], protocol: "http" | "tcp", one: Asked): boolean {
  const byAction = (action: string): readonly AppliedPolicy[] =>
    given.filter((policy) => policy.action === action);
  const compiled = compileAuthorization(
    { custom: [], audit: [], deny: byAction("DENY"), allow: byAction("ALLOW") },
    { protocol, trust: clusterTrust },
  );
  const connection = connectionFrom(one.principal, { sourceAddress: one.sourceAddress });
  if (protocol === "tcp") return authorizeConnection(compiled, connection).verdict === "allow";
  const { method, path, authority, header } = one;
  const request = requestOn(connection, { method, path, authority, headers: { x: header } });
  return authorizeRequest(compiled, request).verdict === "allow";
}

test("law: what a covered rule allows, the other one allows, and denies where it is one of DENY", () => {
  let covered = 0;
  fc.assert(
    fc.property(rule, rule, fc.array(asked, { minLength: 20, maxLength: 20 }), (wide, own, all) => {
      const narrow = { ...own, from: own.from.length > 0 ? own.from : wide.from };
      const texts = [policyOf(wide, "ALLOW", "wide"), policyOf(narrow, "ALLOW", "narrow")];
      const [first, second] = written(texts.map(printPolicy).join("---\n"));
      assert.ok(first && second);
      if (!coversRule(first, second)) return;
      covered++;
      for (const one of all)
        for (const protocol of ["http", "tcp"] as const) {
          if (isAllowed([policyOf(narrow, "ALLOW")], protocol, one))
            assert.ok(isAllowed([policyOf(wide, "ALLOW")], protocol, one), "allowed");
          const both = [policyOf(wide, "DENY", "no"), policyOf(narrow, "ALLOW")];
          assert.ok(!isAllowed(both, protocol, one), "denied");
        }
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  );
  assert.ok(covered > 100, `${covered} pairs were covered`);
});

const WEB = '{source: {principals: ["cluster.local/ns/shop/sa/web"]}}';
const rows: readonly [what: string, wide: string, narrow: string, covers: boolean][] = [
  [
    "an account's reads, by its namespace",
    "{from: [{source: {namespaces: [shop]}}]}",
    `{from: [${WEB}], to: [{operation: {methods: [GET]}}]}`,
    true,
  ],
  [
    "an account, by another namespace",
    "{from: [{source: {namespaces: [bank]}}]}",
    `{from: [${WEB}]}`,
    false,
  ],
  ["anybody with an identity", '{from: [{source: {principals: ["*"]}}]}', `{from: [${WEB}]}`, true],
  [
    "a path below a prefix",
    '{to: [{operation: {paths: ["/api/*"]}}]}',
    '{to: [{operation: {paths: ["/api/v1/*", "/api/x"]}}]}',
    true,
  ],
  [
    "a path beside a prefix",
    '{to: [{operation: {paths: ["/api/*"]}}]}',
    '{to: [{operation: {paths: ["/api/x", "/apiary"]}}]}',
    false,
  ],
  [
    "one that demands more",
    '{when: [{key: "request.headers[x]", values: [a, b]}]}',
    `{from: [${WEB}], when: [{key: "request.headers[x]", values: [a]}]}`,
    true,
  ],
  [
    "one that demands less",
    '{when: [{key: "request.headers[x]", values: [a]}]}',
    `{from: [${WEB}]}`,
    false,
  ],
];
for (const [what, wide, narrow, covers] of rows) {
  test(`${what}: ${covers ? "covered" : "not covered"}`, () => {
    const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: x}\nspec: {rules: [${wide}, ${narrow}]}\n`;
    const [first, second] = written(text);
    assert.ok(first && second);
    assert.equal(coversRule(first, second), covers);
  });
}
