/** How many candidates rules become: what a policy's author writes must not multiply without bound. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterTrust } from "../../../test/kit/mesh-parts.ts";
import type { AuthorizationRule, AuthorizationSource } from "../../api/authorization-policy.ts";
import { type CompiledRule, compileRule } from "../authorization-rule.ts";
import { buildRuleIndex } from "./rule-index.ts";
import { takeApart } from "./take-apart.ts";

function compiled(parts: Partial<AuthorizationRule>): CompiledRule {
  const ref = {
    policy: { kind: "AuthorizationPolicy", namespace: "x", name: "p" },
    rule: 0,
    source: { file: "p.yaml", line: 1 },
  };
  const rule = { line: 1, from: [], to: [], when: [], ...parts };
  const context = {
    protocol: "http",
    trust: clusterTrust,
    namespace: "x",
    action: "ALLOW",
  } as const;
  return compileRule(rule, { ...context, ref, known: new Map() });
}

const several = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const callers = (count: number): AuthorizationSource[] =>
  several(count, (index) => ({ principals: [`cluster.local/ns/x/sa/${index}`] }));
const addresses = (count: number): AuthorizationSource[] =>
  several(count, (index) => ({ remoteIpBlocks: [`10.0.${index >> 8}.${index & 255}`] }));
const paths = (count: number) => several(count, (index) => ({ paths: [`/${index}`] }));

const tables: [what: string, rule: Partial<AuthorizationRule>, candidates: number][] = [
  ["nothing at all", {}, 1],
  ["callers alone are one, whoever they are", { from: callers(512) }, 1],
  ["operations are apart", { to: paths(3) }, 3],
  ["callers do not multiply operations", { from: callers(512), to: paths(512) }, 512],
  ["what else is said of the source does", { from: addresses(3), to: paths(4) }, 12],
  ["but not without bound", { from: addresses(512), to: paths(512) }, 512],
];
for (const [what, rule, candidates] of tables) {
  test(`a rule becomes ${candidates}: ${what}`, () => {
    assert.equal(takeApart([compiled(rule)]).length, candidates);
  });
}

test("many rules that multiply share one bound", () => {
  const rules = several(1_000, () => compiled({ from: addresses(20), to: paths(20) }));
  assert.ok(takeApart(rules).length <= 200_000);
});

test("the same demand on callers is one object, so that a peer is asked once", () => {
  const rules = several(4, (index) =>
    compiled({ from: [{ notNamespaces: ["w"] }], to: [{ paths: [`/${index}`] }] }),
  );
  const [shared] = rules;
  const candidates = takeApart(rules.map((rule) => ({ ...rule, from: shared?.from ?? [] })));
  assert.equal(new Set(candidates.map(({ demand }) => demand)).size, 1);
});

test("JWT-62 lists of claims are looked up on one level: places do not multiply with each other", () => {
  const when = (rule: number) =>
    several(5, (claim) => ({
      key: `request.auth.claims[c${claim}]`,
      values: several(4, (value) => `v${(rule + claim * value) % 97}*`),
      notValues: [],
    }));
  const rules = several(500, (rule) => compiled({ when: when(rule) }));
  const { orders } = buildRuleIndex(takeApart(rules));
  assert.ok(orders.length > 500 && orders.length <= 4 * 500, `${orders.length} places`);
});
