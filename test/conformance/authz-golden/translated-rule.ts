/** One rule of a policy as Envoy's RBAC, made by the translator of views. */
import { linearRules } from "../../../src/envoy/authorization/linear/linear-rules.ts";
import { type RuleDemands, ruleDemands } from "../../../src/envoy/authorization/rule-demands.ts";
import { effectiveAuthorization } from "../../../src/policy/effective-policy.ts";
import type { AppliedPolicy, Trust } from "../../../src/policy/workload-view.ts";
import { clusterTrust } from "../../kit/mesh-parts.ts";
import { snapshotOfPolicies, type WrittenRule } from "../policy-evaluation.ts";
import { isObject, type JsonObject, normalJson } from "./rbac-json.ts";

export interface TranslationFrame {
  readonly action?: "ALLOW" | "DENY" | "AUDIT";
  readonly level?: "http" | "tcp";
  readonly trust?: Partial<Trust>;
}

/** envoy.config.rbac.v3.Policy @returns undefined where nothing of the rule is left, or users cannot write it */
export function translatedRule(
  rule: WrittenRule,
  { action = "ALLOW", level = "http", trust = {} }: TranslationFrame = {},
): JsonObject | undefined {
  const policies = writtenPolicies(rule, action);
  const rules = linearRules(policies, { action, level, trust: { ...clusterTrust, ...trust } });
  const [policy] = Object.values(rules.policies ?? {});
  const json = policy === undefined ? undefined : normalJson(policy);
  return isObject(json) ? json : undefined;
}

/** What is left of a rule before it becomes Envoy's. */
export function demandsOfRule(
  rule: WrittenRule,
  { action = "ALLOW", level = "http", trust = {} }: TranslationFrame = {},
): readonly RuleDemands[] {
  const policies = writtenPolicies(rule, action);
  return ruleDemands(policies, { action, level, trust: { ...clusterTrust, ...trust } });
}

function writtenPolicies(
  rule: WrittenRule,
  action: NonNullable<TranslationFrame["action"]>,
): readonly AppliedPolicy[] {
  const policy = {
    metadata: { name: "rule", namespace: "default" },
    spec: { action, rules: [rule] },
  };
  const effective = effectiveAuthorization(snapshotOfPolicies({ policies: [policy] }), {
    namespace: "default",
    labels: {},
  });
  const lists = { ALLOW: effective.allow, DENY: effective.deny, AUDIT: effective.audit };
  return lists[action];
}
