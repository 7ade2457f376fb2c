/** The rules that Envoy names in what it writes down (AP-34). */
import type { Delegation, RuleRef } from "../policy/decision.ts";
import type { AppliedPolicy } from "../policy/workload-view.ts";

const RULE = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d{1,9})\]/;

/** @returns undefined for a rule that is none of these policies', any more or yet */
export function namedRule(policies: readonly AppliedPolicy[], id: string): RuleRef | undefined {
  const [, namespace, name, index] = RULE.exec(id) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  const policy = policyAt(policies, { namespace, name });
  return policy && ruleAt(policy, Number(index));
}

export function policyAt(
  policies: readonly AppliedPolicy[],
  { namespace, name }: Pick<AppliedPolicy["ref"], "namespace" | "name">,
): AppliedPolicy | undefined {
  return policies.find(({ ref }) => ref.name === name && ref.namespace === namespace);
}

/** @param custom those in force @returns whom to ask, where there is one rule alone by which anybody is asked */
export function onlyDelegation(custom: readonly AppliedPolicy[]): Delegation | undefined {
  const [policy, ...others] = custom;
  if (policy?.provider === undefined || others.length > 0 || policy.rules.length !== 1)
    return undefined;
  const matched = ruleAt(policy, 0);
  return matched && { provider: policy.provider, matched };
}

function ruleAt({ ref, source, rules }: AppliedPolicy, rule: number): RuleRef | undefined {
  const line = rules[rule]?.line;
  return line === undefined
    ? undefined
    : { policy: ref, rule, source: { file: source.file, line } };
}
