/** Policies as users would write them. */
import { stringify } from "yaml";
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";

export function allPolicies(effective: EffectiveAuthorization): readonly AppliedPolicy[] {
  return [...effective.custom, ...effective.audit, ...effective.deny, ...effective.allow];
}

export function printPolicy({ ref, action, provider, dryRun, rules }: AppliedPolicy): string {
  const annotations = dryRun === true ? { annotations: { "istio.io/dry-run": "true" } } : {};
  const spec = {
    action,
    ...(provider === undefined ? {} : { provider: { name: provider } }),
    ...(rules.length === 0 ? {} : { rules: rules.map(printedRule) }),
  };
  return stringify({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: ref.name, namespace: ref.namespace, ...annotations },
    spec,
  });
}

function printedRule({ from, to, when }: AuthorizationRule): object {
  const conditions = when.map(({ key, values, notValues }) => ({
    key,
    ...(values.length === 0 ? {} : { values }),
    ...(notValues.length === 0 ? {} : { notValues }),
  }));
  return {
    ...(from.length === 0 ? {} : { from: from.map((source) => ({ source })) }),
    ...(to.length === 0 ? {} : { to: to.map((operation) => ({ operation })) }),
    ...(when.length === 0 ? {} : { when: conditions }),
  };
}
