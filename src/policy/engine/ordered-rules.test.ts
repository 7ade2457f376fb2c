import assert from "node:assert/strict";
import { test } from "node:test";
import { policy } from "../../../test/kit/sidecar-fixture.ts";
import type { AppliedPolicy, Trust } from "../workload-view.ts";
import { orderedRules, type RulesContext, rulesInSteps } from "./ordered-rules.ts";

const TRUST: Trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.2",
};
const CONTEXT: RulesContext = { protocol: "http", trust: TRUST, action: "ALLOW" };

function named(name: string): AppliedPolicy {
  return policy(
    "ALLOW",
    name,
    { to: [{ methods: ["GET"] }] },
    { from: [{ principals: ["cluster.local/ns/shop/sa/web"] }] },
  );
}

test("rules of a policy that stays are the same objects, in their order among others (AP-35)", () => {
  const [a, b, c] = [named("a"), named("b"), named("c")];
  const before = orderedRules([a, c], CONTEXT);
  const after = orderedRules([c, b, a], CONTEXT);
  assert.deepEqual(
    after.map(({ ref }) => `${ref.policy.name} ${ref.rule}`),
    ["a 0", "a 1", "b 0", "b 1", "c 0", "c 1"],
  );
  assert.deepEqual(
    before.map((rule) => after.indexOf(rule)),
    [0, 1, 4, 5],
  );
});

const OTHERS: Readonly<Record<string, RulesContext>> = {
  "another protocol": { ...CONTEXT, protocol: "tcp" },
  "another action": { ...CONTEXT, action: "DENY" },
  "other domains": { ...CONTEXT, trust: { ...TRUST, trustDomainAliases: ["old.local"] } },
};

for (const [what, context] of Object.entries(OTHERS)) {
  test(`rules for ${what} are others`, () => {
    const policies = [named("a")];
    const [rule] = orderedRules(policies, CONTEXT);
    assert.ok(rule);
    assert.ok(!orderedRules(policies, context).includes(rule));
    assert.ok(orderedRules(policies, CONTEXT).includes(rule));
  });
}

test("what policies said that went is let go of, and what stays is not made anew each time", () => {
  const stays = named("a");
  const rules = new Set<unknown>();
  const CHANGES = 5_000;
  for (let count = 0; count < CHANGES; count++) {
    const changed = policy("ALLOW", "b", { to: [{ paths: [`/${count}`] }] });
    rules.add(orderedRules([stays, changed], CONTEXT)[0]);
  }
  assert.ok(rules.size > 1 && rules.size < CHANGES / 500, `made ${rules.size} times`);
});

/** So many of the policies were not compiled yet. */
function stepsFor(policies: readonly AppliedPolicy[], context: RulesContext): number {
  return [...rulesInSteps(policies, context)].length;
}

test("what was compiled in steps is not compiled again, and a change costs what has changed", () => {
  const context = { ...CONTEXT, trust: { ...TRUST } };
  // More conditions than are kept in any case.
  const policies = Array.from({ length: 1_500 }, (_, index) =>
    policy("ALLOW", `p${index}`, { to: [{ paths: [`/${index}`] }] }),
  );
  assert.equal(stepsFor(policies, context), 1_500);
  const rules = orderedRules(policies, context);
  assert.equal(stepsFor(policies, context), 0);
  const changed = [...policies.slice(1), named("new")];
  assert.equal(stepsFor(changed, context), 1);
  const after = orderedRules(changed, context);
  assert.ok(rules.slice(1).every((rule) => after.includes(rule)));
});

test("asked for in the midst of the steps, all rules are there, and the steps come to an end", () => {
  const context = { ...CONTEXT, trust: { ...TRUST } };
  const policies = Array.from({ length: 1_500 }, (_, index) =>
    policy("ALLOW", `p${index}`, { to: [{ paths: [`/${index}`] }] }),
  );
  const steps = rulesInSteps(policies, context);
  for (let count = 0; count < 1_200; count++) assert.equal(steps.next().done, false);
  const rules = orderedRules(policies, context);
  assert.equal(rules.length, 1_500);
  assert.ok([...steps].length <= 300);
  assert.deepEqual(orderedRules(policies, context), rules);
  assert.equal(stepsFor(policies, context), 0);
});
