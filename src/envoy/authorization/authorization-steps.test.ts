import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "../../../test/kit/dice.ts";
import type { ExtensionConfig, RbacRules } from "../envoy-json.ts";
import { authorizationSteps } from "./authorization-steps.ts";

const CALLERS = [0, 1, 2, 3, 4];

/** A rule is the list of callers that it matches. */
type Rules = Readonly<Record<string, readonly number[]>>;

interface Policies {
  readonly deny: Rules;
  /** Absent: no ALLOW policy. */
  readonly allow?: Rules;
}

const configsOf = ({ deny, allow }: Policies): readonly ExtensionConfig[] => [
  configOf("authorization/http/mesh/deny", { action: "DENY", policies: deny }),
  configOf("authorization/http/mesh/allow", allow && { policies: allow }),
];

function configOf(name: string, rules: RbacRules | undefined): ExtensionConfig {
  return { name, typedConfig: { "@type": "rbac", ...(rules && { rules }) } };
}

function letsIn(configs: readonly ExtensionConfig[], caller: number): boolean {
  const [deny, allow] = ["deny", "allow"].map((part) => {
    const config = configs.find(({ name }) => name.endsWith(`/${part}`));
    assert.ok(config, `no resource that is to ${part}`);
    return config.typedConfig.rules;
  });
  const matches = (rules: RbacRules): boolean =>
    Object.values(rules.policies ?? {}).some((callers) => Object.values(callers).includes(caller));
  return !(deny && matches(deny)) && (allow === undefined || matches(allow));
}

test("QK-69: no state in between lets in what both the old and the new policies refuse", () => {
  const dice = new Dice(69);
  const rules = (): Rules =>
    Object.fromEntries(
      dice
        .several(0, 3, () => dice.pick(["a", "b", "c"]))
        .map((name) => [name, CALLERS.filter(() => dice.chance(0.4))]),
    );
  const policies = (): Policies => ({
    deny: rules(),
    ...(dice.chance(0.8) && { allow: rules() }),
  });
  let orders = 0;
  for (let change = 0; change < 3_000; change++) {
    const [old, next] = [configsOf(policies()), configsOf(policies())];
    const steps = authorizationSteps(old, next);
    assert.deepEqual(steps.at(-1), next);
    if (steps.length > 1) orders++;
    for (const caller of CALLERS) {
      if (letsIn(old, caller) || letsIn(next, caller)) continue;
      // Whichever resource of a step arrives first.
      const between = [old, ...steps].flatMap((step, index, all) => mixtures(step, all[index + 1]));
      for (const state of between)
        assert.ok(!letsIn(state, caller), JSON.stringify({ old, next, state, caller }));
    }
  }
  assert.ok(orders > 1_000, `${orders} changes took more than one step: too few`);
});

function mixtures(
  before: readonly ExtensionConfig[],
  after: readonly ExtensionConfig[] = before,
): readonly (readonly ExtensionConfig[])[] {
  const [deny, allow] = after;
  const [oldDeny, oldAllow] = before;
  assert.ok(deny && allow && oldDeny && oldAllow);
  return [after, [deny, oldAllow], [oldDeny, allow]];
}

const OLD = configsOf({ deny: { a: [1] }, allow: { b: [2] } });

const STEPS: readonly [what: string, next: Policies, steps: number][] = [
  ["nothing", { deny: { a: [1] }, allow: { b: [2] } }, 1],
  ["what denies alone", { deny: { a: [3] }, allow: { b: [2] } }, 1],
  ["what allows alone", { deny: { a: [1] }, allow: { b: [3] } }, 1],
  ["both, denying more", { deny: { a: [1], c: [3] }, allow: { b: [3] } }, 2],
  ["both, denying less", { deny: {}, allow: { b: [3] } }, 2],
  ["both", { deny: { a: [3] }, allow: { b: [3] } }, 3],
  ["both, no ALLOW policy left", { deny: { a: [3] } }, 3],
];
for (const [what, next, steps] of STEPS) {
  test(`a change of ${what} takes ${steps} ${steps === 1 ? "step" : "steps"}`, () => {
    assert.equal(authorizationSteps(OLD, configsOf(next)).length, steps);
  });
}

test("one resource that denies and allows changes in one step", () => {
  const config = (matcher: object): ExtensionConfig => ({
    name: "authorization/http/mesh",
    typedConfig: { "@type": "rbac", matcher },
  });
  assert.deepEqual(authorizationSteps([config({ a: 1 })], [config({ a: 2 })]), [
    [config({ a: 2 })],
  ]);
});
