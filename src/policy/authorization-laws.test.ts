/** What holds of every set of policies and all traffic, whatever they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compiledEngine, type OwnTrustDomains } from "../../test/kit/compiled-engine.ts";
import { Dice } from "../../test/kit/dice.ts";
import { generatePolicies, generateTrust } from "../../test/kit/policy-generator.ts";
import { allPolicies, printPolicy } from "../../test/kit/policy-yaml.ts";
import type { TrafficFacts } from "../../test/kit/traffic-facts.ts";
import { changeOneFact, generateTraffic } from "../../test/kit/traffic-generator.ts";
import type { AuthorizationRule } from "../api/authorization-policy.ts";
import type { PathNormalization } from "../api/mesh-settings.ts";
import { parseResources } from "../api/parse-resources.ts";
import type { Decision, Judged } from "./decision.ts";
import { normalizePath } from "./path-normalization.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "./workload-view.ts";

const RUNS = 300;
const QUESTIONS = 12;

interface Scenario {
  readonly dice: Dice;
  readonly policies: EffectiveAuthorization;
  readonly trust: OwnTrustDomains;
  readonly traffic: readonly TrafficFacts[];
}

function law(name: string, check: (scenario: Scenario) => void): void {
  test(name, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => check(scenarioOf(seed))),
      { numRuns: RUNS },
    );
  });
}

function scenarioOf(seed: number): Scenario {
  const dice = new Dice(seed);
  const witness = generateTraffic(dice);
  const changed = Array.from({ length: QUESTIONS }, () => changeOneFact(dice, witness));
  const policies = generatePolicies(dice, [witness]);
  return { dice, policies, trust: generateTrust(dice), traffic: [witness, ...changed] };
}

/** Asks two sets of policies the same. */
function compareAnswers(
  { trust, traffic }: Scenario,
  sets: { readonly before: EffectiveAuthorization; readonly after: EffectiveAuthorization },
  check: (before: Decision, after: Decision) => void,
): void {
  const before = compiledEngine(sets.before, trust);
  const after = compiledEngine(sets.after, trust);
  for (const facts of traffic) check(before(facts), after(facts));
}

/** What the policies here say, whatever an authorizer may say before. */
function said({ verdict, reason }: Judged): Judged {
  return reason.because === "matched-custom" ? said(reason.afterwards) : { verdict, reason };
}

/** Rules of that action from other chance, all enforced. */
function otherRules(
  { dice, traffic }: Scenario,
  action: "ALLOW" | "DENY",
): readonly AuthorizationRule[] {
  for (;;) {
    const { allow, deny } = generatePolicies(dice, traffic);
    const rules = (action === "ALLOW" ? allow : deny).flatMap((policy) => policy.rules);
    if (rules.length > 0) return rules;
  }
}

const ref = { kind: "AuthorizationPolicy", namespace: "default", name: "another" };
const source = { file: "another.yaml", line: 1 };

law("a DENY policy never allows more (AP-1)", (scenario) => {
  const { policies } = scenario;
  const another = { ref, source, action: "DENY", rules: otherRules(scenario, "DENY") } as const;
  const after = { ...policies, deny: [...policies.deny, another] };
  compareAnswers(scenario, { before: policies, after }, (before, decision) => {
    if (said(before).verdict === "deny") assert.equal(said(decision).verdict, "deny");
    assert.equal(before.verdict === "delegate", decision.verdict === "delegate");
  });
});

law("an ALLOW rule beside other ALLOW policies never refuses more (AP-1, AP-33)", (scenario) => {
  const { policies } = scenario;
  if (!policies.allow.some(({ dryRun }) => dryRun !== true)) return;
  const another = { ref, source, action: "ALLOW", rules: otherRules(scenario, "ALLOW") } as const;
  const after = { ...policies, allow: [...policies.allow, another] };
  compareAnswers(scenario, { before: policies, after }, (before, decision) => {
    if (said(before).verdict === "allow") assert.equal(said(decision).verdict, "allow");
  });
});

law(
  "the order of policies matters neither for the verdict nor for what is told (AP-8, AP-35)",
  (scenario) => {
    const { dice, policies } = scenario;
    const after = eachPolicyList(policies, (list) => dice.shuffled(list));
    compareAnswers(scenario, { before: policies, after }, (before, decision) => {
      assert.equal(decision.verdict, before.verdict);
      assert.deepEqual(toldRules(decision), toldRules(before));
    });
  },
);

law("the order of rules matters not for the verdict (AP-33)", (scenario) => {
  const { dice, policies } = scenario;
  const after = eachPolicyList(policies, (list) =>
    list.map((policy) => ({ ...policy, rules: dice.shuffled(policy.rules) })),
  );
  compareAnswers(scenario, { before: policies, after }, (before, decision) => {
    assert.equal(decision.verdict, before.verdict);
    assert.equal(said(decision).verdict, said(before).verdict);
    assert.equal(decision.dryRun?.verdict, before.dryRun?.verdict);
  });
});

law("AUDIT and dry run never change the verdict (AP-9, AP-110..AP-113)", (scenario) => {
  const { policies } = scenario;
  const enforced = eachPolicyList(policies, (list) => list.filter(({ dryRun }) => dryRun !== true));
  const after = { ...enforced, audit: [] };
  compareAnswers(scenario, { before: policies, after }, (before, decision) => {
    const { dryRun, audited, ...judged } = before;
    assert.deepEqual(decision, judged);
  });
});

law("a policy that is printed and parsed is the same", ({ policies }) => {
  for (const policy of allPolicies(policies)) {
    const { resources, issues } = parseResources(printPolicy(policy), "policy.yaml");
    assert.deepEqual(issues, []);
    const [parsed] = resources;
    assert.ok(parsed?.kind === "AuthorizationPolicy");
    const { meta, action, provider, dryRun, rules } = parsed;
    assert.deepEqual(
      {
        ...unplaced({ action, rules }),
        provider,
        dryRun,
        namespace: meta.namespace,
        name: meta.name,
      },
      {
        ...unplaced(policy),
        provider: policy.provider,
        dryRun: policy.dryRun ?? false,
        namespace: policy.ref.namespace,
        name: policy.ref.name,
      },
    );
  }
});

const MODES: readonly PathNormalization[] = [
  "DEFAULT",
  "NONE",
  "BASE",
  "MERGE_SLASHES",
  "DECODE_AND_MERGE_SLASHES",
];
const PIECES = [
  "/",
  "//",
  ".",
  "..",
  "a",
  "%2e",
  "%2F",
  "%5c",
  "\\",
  ";",
  "%",
  "%25",
  "2",
  "%66",
  "f",
  "?",
  "\u00fc",
];
for (const mode of MODES) {
  test(`what is normalised as ${mode} stays as it is (AP-100..AP-104)`, () => {
    const path = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 });
    fc.assert(
      fc.property(path, (pieces) => {
        const normal = normalizePath(`/${pieces.join("")}`, mode);
        assert.equal(normalizePath(normal, mode), normal);
      }),
      { numRuns: 3_000 },
    );
  });
}

function eachPolicyList(
  { custom, audit, deny, allow }: EffectiveAuthorization,
  change: (list: readonly AppliedPolicy[]) => readonly AppliedPolicy[],
): EffectiveAuthorization {
  return {
    custom: change(custom),
    audit: change(audit),
    deny: change(deny),
    allow: change(allow),
  };
}

/** Every rule that a decision names. */
function toldRules({ reason, dryRun, audited }: Decision): readonly unknown[] {
  const matched = "matched" in reason ? reason.matched : undefined;
  const delegations = reason.because === "matched-custom" ? reason.delegations : [];
  const trial = dryRun && "matched" in dryRun.reason ? dryRun.reason.matched : undefined;
  return [reason.because, matched, delegations, trial, audited];
}

/** Without the places where things were written. */
function unplaced({ action, rules }: Pick<AppliedPolicy, "action" | "rules">): object {
  return { action, rules: rules.map(({ from, to, when }) => ({ from, to, when })) };
}
