/** Policies that decide together: their rules compiled, bound to peers, and asked in the order of AP-1. */
import type { ResourceRef } from "../../api/resource.ts";
import type { Delegation, Judged, RuleRef } from "../decision.ts";
import type { Connection } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../workload-view.ts";
import { nearestMisses } from "./nearest-misses.ts";
import { orderedRules, type RulesContext } from "./ordered-rules.ts";
import { type BoundRules, firstRule, PeerRules } from "./peer-rules.ts";
import { NO_RULE } from "./rule-index.ts";

/** Judgements are made once, so that judging allocates nothing. */
export interface PolicySet {
  /** By the names of their authorizers (AP-122). */
  readonly custom: readonly ProviderRules[];
  readonly deny: PeerRules;
  /** By rule. */
  readonly denials: readonly Judged[];
  readonly allow: PeerRules;
  /** By rule. */
  readonly admissions: readonly Judged[];
  /** Every ALLOW policy that applies, with rules or without (AP-20). */
  readonly considered: readonly ResourceRef[];
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
  readonly deny: BoundRules;
  readonly allow: BoundRules;
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
    deny: new PeerRules(denying),
    denials: denying.map(({ ref }) => denial(ref)),
    allow: new PeerRules(allowing),
    admissions: allowing.map(({ ref }) => admission(ref)),
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
    deny: policies.deny.bind(connection),
    allow: policies.allow.bind(connection),
  };
}

/** How many candidates are held for this peer alone. */
export function weightOf({ custom, deny, allow }: BoundPolicySet): number {
  return [...custom, deny, allow].reduce((sum, { weight }) => sum + weight, 0);
}

/** All that the policies say. */
export function judge(bound: BoundPolicySet, traffic: Traffic): Judged {
  const local = judgeLocally(bound, traffic);
  const delegations = delegationsOf(bound, traffic);
  return delegations.length === 0 ? local : delegate(delegations, local);
}

/** DENY, then ALLOW. */
export function judgeLocally({ policies, deny, allow }: BoundPolicySet, traffic: Traffic): Judged {
  const denied = judgementOf(policies.denials, firstRule(deny, traffic));
  if (denied !== undefined) return denied;
  const { considered, admissions } = policies;
  if (considered.length === 0) return NO_ALLOW_POLICY;
  const allowed = judgementOf(admissions, firstRule(allow, traffic));
  if (allowed !== undefined) return allowed;
  const nearest = nearestMisses(policies.allow, allow, traffic);
  return { verdict: "deny", reason: { because: "no-allow-matched", considered, nearest } };
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
    const matched = rules.ruleAt(firstRule(bound, traffic))?.ref;
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
