/** How policies and rules are named in logs, and in which order rules are asked. */
import type { ResourceRef } from "../api/resource.ts";
import type { RuleRef } from "./decision.ts";

/** `ns[production]-policy[no-admin]` */
export function policyId({ namespace, name }: ResourceRef): string {
  return `ns[${namespace}]-policy[${name}]`;
}

/** `ns[production]-policy[no-admin]-rule[0]` (AP-34); rules are asked in the lexicographic order of these (AP-35). */
export function ruleId({ policy, rule }: Pick<RuleRef, "policy" | "rule">): string {
  return `${policyId(policy)}-rule[${rule}]`;
}
