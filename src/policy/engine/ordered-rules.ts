/** The rules of several policies in the order in which they are asked (AP-8, AP-35). */
import type { AuthorizationAction } from "../../api/authorization-policy.ts";
import {
  type CompiledRule,
  compileRule,
  type KnownConditions,
  type TrafficProtocol,
} from "../authorization-rule.ts";
import { ruleId } from "../rule-id.ts";
import type { AppliedPolicy, Trust } from "../workload-view.ts";

export interface RulesContext {
  readonly protocol: TrafficProtocol;
  readonly trust: Trust;
  readonly action: AuthorizationAction;
}

export function orderedRules(
  policies: readonly AppliedPolicy[],
  context: RulesContext,
): readonly CompiledRule[] {
  const known: KnownConditions = new Map();
  return policies
    .flatMap((policy) => rulesOf(policy, { ...context, known }))
    .sort(({ id: a }, { id: b }) => (a < b ? -1 : 1))
    .map(({ rule }) => rule);
}

function rulesOf(
  { ref: policy, source: { file }, rules }: AppliedPolicy,
  context: RulesContext & { readonly known: KnownConditions },
): { readonly id: string; readonly rule: CompiledRule }[] {
  return rules.map((rule, index) => {
    const ref = { policy, rule: index, source: { file, line: rule.line } };
    const compiled = compileRule(rule, { ...context, namespace: policy.namespace, ref });
    return { id: ruleId(ref), rule: compiled };
  });
}
