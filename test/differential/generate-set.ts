/** Sets of policies near to calls that can be made over real sockets, by the generators that the engine is tested with. */
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { Dice } from "../kit/dice.ts";
import { generatePolicies, generateTrust } from "../kit/policy-generator.ts";
import type { TrafficFacts } from "../kit/traffic-facts.ts";
import { changeOneFact, generateTraffic } from "../kit/traffic-generator.ts";
import { callOf, factsOnLoopback } from "./generate-call.ts";
import type { Call, PolicySet, SetPort } from "./question.ts";
import { withSpecialHeaders } from "./special-headers.ts";

export interface GeneratedSet {
  readonly set: PolicySet;
  readonly calls: readonly Call[];
}

const WITNESSES = 3;
/** TCP has no HTTP: a port on which both can come finds out. */
const PORT_CHOICES: readonly (readonly SetPort[])[] = [
  [
    { containerPort: 8080, protocol: "http" },
    { containerPort: 8443, protocol: "tcp" },
  ],
  [
    { containerPort: 80, protocol: "http" },
    { containerPort: 65_535, protocol: "tcp" },
  ],
  [{ containerPort: 65_535, protocol: "auto" }],
  [{ containerPort: 8080, protocol: "auto" }],
];

export function generateSet(dice: Dice, calls: number): GeneratedSet {
  const set = { ...generateFrame(dice), policies: NO_POLICIES };
  const witnesses = Array.from({ length: WITNESSES }, () =>
    factsOnLoopback(dice, { set, facts: generateTraffic(dice) }),
  );
  const generated = generatePolicies(dice, witnesses, "readable");
  const policies = inOrder(withSpecialHeaders(dice, generated));
  const filled = { ...set, policies };
  return {
    set: filled,
    calls: Array.from({ length: calls }, () => {
      const facts = factsOnLoopback(dice, { set, facts: nextTraffic(dice, witnesses) });
      return callOf(dice, { set: filled, facts });
    }),
  };
}

const NO_POLICIES: EffectiveAuthorization = { custom: [], audit: [], deny: [], allow: [] };

function generateFrame(dice: Dice): Omit<PolicySet, "policies"> {
  return {
    trust: generateTrust(dice),
    pathNormalization: dice.pick([
      "DEFAULT",
      "DEFAULT",
      "NONE",
      "BASE",
      "MERGE_SLASHES",
      "DECODE_AND_MERGE_SLASHES",
    ]),
    mode: dice.pick(["PERMISSIVE", "PERMISSIVE", "PERMISSIVE", "STRICT", "STRICT", "DISABLE"]),
    ports: dice.pick(PORT_CHOICES),
    tokens: dice.chance(0.5) ? "verified" : "ignored",
    form: dice.chance(0.5) ? "matcher" : "linear",
  };
}

/** A third as it is, a third with one fact changed, a third at random. */
function nextTraffic(dice: Dice, witnesses: readonly TrafficFacts[]): TrafficFacts {
  const kind = dice.between(0, 2);
  if (kind === 0) return generateTraffic(dice);
  const witness = dice.pick(witnesses);
  return kind === 1 ? witness : changeOneFact(dice, witness);
}

/** As views carry them (AP-35); what is about Envoy's own metadata needs a filter that makes some. */
function inOrder(policies: EffectiveAuthorization): EffectiveAuthorization {
  const sorted = (list: EffectiveAuthorization["allow"]): EffectiveAuthorization["allow"] =>
    list
      .map((policy) => ({ ...policy, rules: policy.rules.map(withoutMetadata) }))
      .toSorted((one, other) => (policyId(one.ref) < policyId(other.ref) ? -1 : 1));
  return {
    custom: sorted(policies.custom),
    audit: sorted(policies.audit),
    deny: sorted(policies.deny),
    allow: sorted(policies.allow),
  };
}

function withoutMetadata(rule: AuthorizationRule): AuthorizationRule {
  return { ...rule, when: rule.when.filter(({ key }) => !key.startsWith("experimental.")) };
}

function policyId(ref: { readonly namespace: string; readonly name: string }): string {
  return `ns[${ref.namespace}]-policy[${ref.name}]`;
}
