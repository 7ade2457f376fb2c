/** Policies that decide together: their rules compiled, bound to peers, and asked in the order of AP-1. */
import type { Delegation, Judged, RuleRef } from "../decision.ts";
import type { Connection } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../workload-view.ts";
import { type DenyingPolicies, NoAllowMatched } from "./no-allow-matched.ts";
import { orderedRules, type RulesContext } from "./ordered-rules.ts";
import { type BoundRules, PeerRules } from "./peer-rules.ts";
import { NO_RULE } from "./rule-index.ts";

/** Judgements are made once, so that judging allocates nothing. */
export interface PolicySet extends DenyingPolicies {
  /** By the names of their authorizers (AP-122). */
  readonly custom: readonly ProviderRules[];
  /** DENY rules, then ALLOW rules: of all that match, the first decides, and one search finds it. */
  readonly rules: PeerRules;
  /** By rule. */
  readonly judgements: readonly Judged[];
  /** Where the ALLOW rules begin. */
  readonly firstAllow: number;
}

interface ProviderRules {
  readonly provider: string;
  readonly rules: PeerRules;
}

/** What one peer can match. */
export interface BoundPolicySet {
  readonly policies: PolicySet;
  /** In the order of `policies.custom`. */
  readonly custom: readonly BoundRules[];
  readonly rules: BoundRules;
}

const NO_ALLOW_POLICY: Judged = { verdict: "allow", reason: { because: "no-allow-policy" } };
const NO_CUSTOM: readonly BoundRules[] = [];
const NO_DELEGATION: readonly Delegation[] = [];

export function compilePolicySet(
  { custom, deny, allow }: Omit<EffectiveAuthorization, "audit">,
  context: Omit<RulesContext, "action">,
): PolicySet {
  const denying = orderedRules(deny, { ...context, action: "DENY" });
  const allowing = orderedRules(allow, { ...context, action: "ALLOW" });
  return {
    custom: compileProviders(custom, context),
    rules: new PeerRules([...denying, ...allowing]),
    judgements: [
      ...denying.map(({ ref }) => denial(ref)),
      ...allowing.map(({ ref }) => admission(ref)),
    ],
    firstAllow: denying.length,
    considered: allow.map(({ ref }) => ref),
  };
}

export function bindPolicySet(policies: PolicySet, connection: Connection): BoundPolicySet {
  return {
    policies,
    custom:
      policies.custom.length === 0
        ? NO_CUSTOM
        : policies.custom.map(({ rules }) => rules.bind(connection)),
    rules: policies.rules.bind(connection),
  };
}

/** Bytes that are held for this peer alone. */
export function bytesOf({ custom, rules }: BoundPolicySet): number {
  return [...custom, rules].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** All that the policies say. */
export function judge(bound: BoundPolicySet, traffic: Traffic): Judged {
  const local = judgeLocally(bound, traffic);
  const delegations = delegationsOf(bound, traffic);
  return delegations.length === 0 ? local : delegate(delegations, local);
}

/** DENY, then ALLOW. */
export function judgeLocally(bound: BoundPolicySet, traffic: Traffic): Judged {
  const { policies, rules } = bound;
  const rule = rules.firstMatch(traffic);
  if (rule >= policies.firstAllow && policies.considered.length === 0) return NO_ALLOW_POLICY;
  return judgementOf(policies.judgements, rule) ?? miss(bound, traffic);
}

function miss({ policies, rules }: BoundPolicySet, traffic: Traffic): Judged {
  return { verdict: "deny", reason: new NoAllowMatched(policies, rules, traffic) };
}

/** @returns the authorizers that have to be asked, in the order of their names (AP-122) */
export function delegationsOf(
  { policies, custom }: BoundPolicySet,
  traffic: Traffic,
): readonly Delegation[] {
  if (custom.length === 0) return NO_DELEGATION;
  return policies.custom.flatMap(({ provider, rules }, index) => {
    const bound = custom[index];
    if (bound === undefined) return [];
    const matched = rules.ruleAt(bound.firstMatch(traffic))?.ref;
    return matched === undefined ? [] : [{ provider, matched }];
  });
}

/** @param local what is decided once all authorizers have allowed */
export function delegate(delegations: readonly Delegation[], { verdict, reason }: Judged): Judged {
  const afterwards = { verdict, reason };
  return { verdict: "delegate", reason: { because: "matched-custom", delegations, afterwards } };
}

function judgementOf(judgements: readonly Judged[], rule: number): Judged | undefined {
  return rule === NO_RULE ? undefined : judgements[rule];
}

function compileProviders(
  custom: readonly AppliedPolicy[],
  context: Omit<RulesContext, "action">,
): readonly ProviderRules[] {
  const byProvider = new Map<string, AppliedPolicy[]>();
  for (const policy of custom) {
    const provider = providerOf(policy);
    byProvider.set(provider, [...(byProvider.get(provider) ?? []), policy]);
  }
  return [...byProvider]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, policies]) => ({
      provider,
      rules: new PeerRules(orderedRules(policies, { ...context, action: "CUSTOM" })),
    }));
}

/**
 * Compared as a whole, so that no name stands for another that begins with it (AP-123). A policy without a name cannot
 * come from YAML; nobody has the empty name, so that what it guards is refused (AP-120).
 */
function providerOf({ provider = "" }: AppliedPolicy): string {
  return provider;
}

function denial(matched: RuleRef): Judged {
  return { verdict: "deny", reason: { because: "matched-deny", matched } };
}

function admission(matched: RuleRef): Judged {
  return { verdict: "allow", reason: { because: "matched-allow", matched } };
}
