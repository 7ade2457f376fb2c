/**
 * A second reading of the specification, slow and plain, for the engine to be compared with: written from
 * `istio-semantics` alone, sharing no code with the engine.
 */
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { Traffic, TrustDomains } from "./asked.ts";
import { type Observe, ruleMatches } from "./rule.ts";

/** What is decided, in the form in which two readings are compared; rules by their id (AP-34). */
export interface NaiveJudged {
  readonly verdict: "allow" | "deny" | "delegate";
  readonly because: string;
  readonly matched?: string;
  /** `provider: rule`, by provider (AP-122). */
  readonly delegations?: readonly string[];
  readonly afterwards?: NaiveJudged;
}

export interface NaiveDecision extends NaiveJudged {
  readonly dryRun?: NaiveJudged;
  readonly audited?: string;
}

export interface Interpretation {
  readonly trust: TrustDomains;
  readonly observe?: Observe;
}

/** Decides about traffic as AP-1 says, of enforced policies, and of those on trial beside them (AP-110..AP-113). */
export function interpret(
  policies: EffectiveAuthorization,
  traffic: Traffic,
  interpretation: Interpretation,
): NaiveDecision {
  const matching = (chosen: readonly AppliedPolicy[]): readonly MatchedRule[] =>
    matchedRules(chosen, traffic, interpretation);
  const enforced = onlyEnforced(policies);
  const audited = matching(enforced.audit)[0];
  // AP-113: AUDIT on trial means nothing.
  const judged = [...policies.custom, ...policies.deny, ...policies.allow];
  const hasTrial = judged.some(({ dryRun }) => dryRun === true);
  return {
    ...judge(enforced, matching),
    ...(hasTrial ? { dryRun: judge(policies, matching) } : {}),
    ...(audited === undefined ? {} : { audited: audited.id }),
  };
}

interface MatchedRule {
  readonly id: string;
  readonly provider: string;
}

type Matching = (policies: readonly AppliedPolicy[]) => readonly MatchedRule[];

/** AP-112: what is on trial is, for the enforced verdict, as if it were not there. */
function onlyEnforced(policies: EffectiveAuthorization): EffectiveAuthorization {
  const enforced = (list: readonly AppliedPolicy[]) => list.filter(({ dryRun }) => dryRun !== true);
  return {
    custom: enforced(policies.custom),
    audit: enforced(policies.audit),
    deny: enforced(policies.deny),
    allow: enforced(policies.allow),
  };
}

/** AP-1: CUSTOM comes first, and its consent skips nothing (AP-126). */
function judge(policies: EffectiveAuthorization, matching: Matching): NaiveJudged {
  const afterwards = judgeHere(policies, matching);
  const custom = matching(policies.custom);
  if (custom.length === 0) return afterwards;
  return {
    verdict: "delegate",
    because: "matched-custom",
    delegations: delegationsOf(custom),
    afterwards,
  };
}

/** AP-122, AP-123: every provider once, by its exact name, in the order of the names. */
function delegationsOf(custom: readonly MatchedRule[]): readonly string[] {
  const providers = [...new Set(custom.map(({ provider }) => provider))].sort(byCodeUnit);
  return providers.map((provider) => {
    const first = custom.find((rule) => rule.provider === provider);
    return `${provider}: ${first?.id}`;
  });
}

function judgeHere({ deny, allow }: EffectiveAuthorization, matching: Matching): NaiveJudged {
  const [denying] = matching(deny);
  if (denying !== undefined) {
    return { verdict: "deny", because: "matched-deny", matched: denying.id };
  }
  if (allow.length === 0) return { verdict: "allow", because: "no-allow-policy" };
  const [allowing] = matching(allow);
  if (allowing === undefined) return { verdict: "deny", because: "no-allow-matched" };
  return { verdict: "allow", because: "matched-allow", matched: allowing.id };
}

/** Every rule that matches, in the order in which they are told (AP-35). */
function matchedRules(
  policies: readonly AppliedPolicy[],
  traffic: Traffic,
  { trust, observe }: Interpretation,
): readonly MatchedRule[] {
  const matched: MatchedRule[] = [];
  for (const { ref, action, provider = "", rules } of policies) {
    const policyNamespace = ref.namespace;
    const context = { traffic, trust, action, policyNamespace, ...(observe && { observe }) };
    for (const [index, rule] of rules.entries()) {
      if (ruleMatches(rule, context)) matched.push({ id: ruleId(ref, index), provider });
    }
  }
  return matched.sort((one, other) => byCodeUnit(one.id, other.id));
}

/** AP-34 */
export function ruleId(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  rule: number,
): string {
  return `ns[${namespace}]-policy[${name}]-rule[${rule}]`;
}

function byCodeUnit(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
