/** What Envoy is given decides as the engine does, whichever form it has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compiledEngine, type OwnTrustDomains } from "../../../test/kit/compiled-engine.ts";
import {
  CROWDED_DOMAINS,
  CROWDED_IDENTITIES,
  CROWDED_PATHS,
  crowdedPolicy,
} from "../../../test/kit/crowded-policies.ts";
import { Dice } from "../../../test/kit/dice.ts";
import { judgeByMatcher } from "../../../test/kit/judge-by-matcher.ts";
import { generatePolicies, generateTrust } from "../../../test/kit/policy-generator.ts";
import {
  PLAIN_CONNECTION,
  PLAIN_REQUEST,
  type TrafficFacts,
} from "../../../test/kit/traffic-facts.ts";
import { changeOneFact, generateTraffic } from "../../../test/kit/traffic-generator.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../policy/workload-view.ts";
import { discoveredConfigs } from "./discovered-authorization.ts";

const SETS = 150;
const QUESTIONS = 12;
const CROWD = 6;

for (const [form, linearUpTo] of [
  ["asked in turn", Infinity],
  ["found by an index", -1],
] as const) {
  test(`law: rules ${form} decide as the engine does, on each kind of chain`, () => {
    const dice = new Dice(20_261_123);
    let denied = 0;
    for (let set = 0; set < SETS; set++) {
      const domains = generateTrust(dice);
      const witnesses = dice.several(3, 3, () => generateTraffic(dice));
      const policies = crowd(dice, dice.chance(0.2) ? CROWD : 1, witnesses);
      const engine = compiledEngine(policies, domains);
      const judge = judgeOf(policies, { domains, linearUpTo });
      for (let question = 0; question < QUESTIONS; question++) {
        const facts = dice.chance(0.5)
          ? changeOneFact(dice, dice.pick(witnesses))
          : dice.pick(witnesses);
        const expected = engine(facts).verdict === "allow" ? "allowed" : "denied";
        assert.equal(judge(facts), expected, JSON.stringify({ policies, domains, facts }));
        if (expected === "denied") denied++;
      }
    }
    const share = denied / (SETS * QUESTIONS);
    assert.ok(share > 0.1 && share < 0.9, `${share} of all are denied: too few of one kind`);
  });
}

test("law: an index of many rules loses none, whatever the form of an identity and the end of a path", () => {
  const dice = new Dice(7);
  const domains = CROWDED_DOMAINS;
  for (let world = 0; world < 40; world++) {
    const policies = {
      custom: [],
      audit: [],
      deny: [crowdedPolicy(dice, "DENY")],
      allow: [crowdedPolicy(dice, "ALLOW")],
    };
    const engine = compiledEngine(policies, domains);
    const judge = judgeOf(policies, { domains, linearUpTo: -1 });
    for (const principal of CROWDED_IDENTITIES) {
      for (const path of CROWDED_PATHS) {
        const facts = {
          connection: { ...PLAIN_CONNECTION, principal },
          request: { ...PLAIN_REQUEST, path },
        };
        const expected = engine(facts).verdict === "allow" ? "allowed" : "denied";
        assert.equal(judge(facts), expected, JSON.stringify({ policies, principal, path }));
      }
    }
  }
});

/** The policies of several sets, so that there are many rules for the same callers. */
function crowd(
  dice: Dice,
  count: number,
  witnesses: readonly TrafficFacts[],
): EffectiveAuthorization {
  const sets = Array.from({ length: count }, () => generatePolicies(dice, witnesses, "any"));
  const named = (policies: (set: EffectiveAuthorization) => readonly AppliedPolicy[]) =>
    sets.flatMap((set, index) =>
      policies(set).map((policy) => ({
        ...policy,
        ref: { ...policy.ref, name: `${policy.ref.name}-${index}` },
      })),
    );
  return {
    custom: [],
    audit: [],
    deny: named(({ deny }) => deny),
    allow: named(({ allow }) => allow),
  };
}

function judgeOf(
  policies: EffectiveAuthorization,
  { domains, linearUpTo }: { readonly domains: OwnTrustDomains; readonly linearUpTo: number },
): (facts: TrafficFacts) => "allowed" | "denied" {
  const trust = { ...domains, rootsPem: [], minimumTlsVersion: "TLSv1.2" } as const;
  const known = new Map<string, object | undefined>();
  return (facts) => {
    const level = facts.request === undefined ? "tcp" : "http";
    const peer = facts.connection.principal === undefined ? "nobody" : "mesh";
    const key = `${level} ${peer}`;
    if (!known.has(key)) {
      const configs = discoveredConfigs(policies, {
        kind: { level, peer },
        trust,
        portOf: (port) => port,
        linearUpTo,
        form: "matcher",
      });
      const decides = configs.find(({ name }) => name === `authorization/${level}/${peer}`);
      known.set(key, decides?.typedConfig["matcher"] as object | undefined);
    }
    const matcher = known.get(key);
    if (matcher === undefined) return "allowed";
    return judgeByMatcher(matcher, facts)?.verdict ?? "denied";
  };
}
