/** What Envoy is given decides as the engine does, whichever form it has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compiledEngine, type OwnTrustDomains } from "../../../test/kit/compiled-engine.ts";
import { Dice } from "../../../test/kit/dice.ts";
import { judgeByMatcher } from "../../../test/kit/judge-by-matcher.ts";
import { generatePolicies, generateTrust } from "../../../test/kit/policy-generator.ts";
import {
  PLAIN_CONNECTION,
  PLAIN_REQUEST,
  type TrafficFacts,
} from "../../../test/kit/traffic-facts.ts";
import { changeOneFact, generateTraffic } from "../../../test/kit/traffic-generator.ts";
import type { AuthorizationRule } from "../../api/authorization-policy.ts";
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

const IDENTITIES = [
  "spiffe://td1/ns/a/sa/a",
  "spiffe://td1/ns/a/sa/b",
  "spiffe://td1/ns/b/sa/a",
  "spiffe://td1/ns/ns/sa/a",
  "spiffe://td1/ns/sa/sa/a",
  "spiffe://old.td/ns/a/sa/a",
  "spiffe://oldxtd/ns/a/sa/a",
  "spiffe://other/ns/a/sa/a",
  "spiffe://td1/ns/a/x/sa/a",
  "spiffe://td1/ns/a/sa/a/more",
  "spiffe://td1/x/ns/a/sa/b",
  "spiffe://td1/ns/b/ns/a/sa/b",
  "spiffe://td1/ns/a",
  "spiffe://td1",
];
const PATHS = [
  "/",
  "/a",
  "/a/b",
  "/a/b?x=/c",
  "/a/b/c",
  "/ab",
  "/b/x.json",
  "/b?y.json",
  "/b/a%2Fb",
  "*",
];
const CALLERS: readonly AuthorizationRule["from"][number][] = [
  { principals: ["td1/ns/a/sa/a"] },
  { principals: ["old.td/ns/a/sa/a", "td1/ns/b/*"] },
  { principals: ["td1/ns/a/sa/*", "td1/ns/a/*"] },
  { principals: ["*/sa/b"] },
  { principals: ["*"] },
  { namespaces: ["a"] },
  { namespaces: ["sa", "b"] },
  { namespaces: ["*"] },
  { serviceAccounts: ["a"] },
  { serviceAccounts: ["b/a", "ns/a"] },
  { trustDomains: ["td1"] },
  { namespaces: ["a"], notPrincipals: ["td1/ns/a/sa/a"] },
  { serviceAccounts: ["a/a"], notNamespaces: ["b"] },
  { notNamespaces: ["a"] },
];
const OPERATIONS: readonly AuthorizationRule["to"][number][] = [
  { paths: ["/a"] },
  { paths: ["/a/b", "/b*"] },
  { paths: ["/a/*"] },
  { paths: ["/{*}/b"] },
  { paths: ["/a/{**}"] },
  { paths: ["*.json", "/a/b/c"] },
  { paths: ["/"], notPaths: ["*"] },
  { notPaths: ["/a*"] },
  { paths: ["/*"], notPaths: ["/a/b"] },
  { paths: ["*"], methods: ["PUT"] },
];

test("law: an index of many rules loses none, whatever the form of an identity and the end of a path", () => {
  const dice = new Dice(7);
  const domains = { trustDomain: "td1", trustDomainAliases: ["old.td"] };
  for (let world = 0; world < 40; world++) {
    const policies = {
      custom: [],
      audit: [],
      deny: [crowdedPolicy(dice, "DENY")],
      allow: [crowdedPolicy(dice, "ALLOW")],
    };
    const engine = compiledEngine(policies, domains);
    const judge = judgeOf(policies, { domains, linearUpTo: -1 });
    for (const principal of IDENTITIES) {
      for (const path of PATHS) {
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

/** Few callers and operations: many rules of one caller, and many callers with few rules each. */
function crowdedPolicy(dice: Dice, action: "ALLOW" | "DENY"): AppliedPolicy {
  const callers = dice.several(1, 4, () => dice.pick(CALLERS));
  const count = action === "DENY" ? dice.pick([0, 1, 2, 30]) : dice.pick([3, 20, 60]);
  const rules = Array.from({ length: count }, () => ({
    line: 1,
    from: dice.several(0, 2, () => dice.pick(callers)),
    to: dice.several(action === "DENY" ? 1 : 0, 2, () => dice.pick(OPERATIONS)),
    when: [],
  }));
  const ref = { kind: "AuthorizationPolicy", namespace: "a", name: action.toLowerCase() };
  return { ref, source: { file: "p.yaml", line: 1 }, action, rules };
}

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
