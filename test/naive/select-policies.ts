/** Which policies a workload is subject to (AP-10..AP-18). */
import type { AuthorizationPolicy } from "../../src/api/authorization-policy.ts";
import type { Labels, Resource } from "../../src/api/resource.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "../../src/policy/workload-view.ts";

export interface SelectedWorkload {
  readonly namespace: string;
  readonly labels: Labels;
  readonly rootNamespace: string;
}

export function policiesOf(
  workload: SelectedWorkload,
  resources: readonly Resource[],
): EffectiveAuthorization {
  const applied = resources
    .filter((resource) => resource.kind === "AuthorizationPolicy")
    .filter((policy) => applies(policy, workload))
    .map(appliedPolicy);
  const of = (action: string): AppliedPolicy[] => applied.filter((one) => one.action === action);
  return { custom: of("CUSTOM"), audit: of("AUDIT"), deny: of("DENY"), allow: of("ALLOW") };
}

function applies(policy: AuthorizationPolicy, workload: SelectedWorkload): boolean {
  const { namespace } = policy.meta;
  // AP-10: of the own namespace and of the root, which reaches workloads everywhere (AP-11).
  if (namespace !== workload.namespace && namespace !== workload.rootNamespace) return false;
  // AP-14
  if (policy.targetRefs.length > 0) return false;
  // AP-12; an empty selector is for all.
  return Object.entries(policy.selector).every(([key, value]) => workload.labels[key] === value);
}

function appliedPolicy(policy: AuthorizationPolicy): AppliedPolicy {
  const { kind, meta, action, provider, dryRun, rules } = policy;
  return {
    ref: { kind, namespace: meta.namespace, name: meta.name },
    source: meta.source,
    action,
    ...(provider === undefined ? {} : { provider }),
    ...(dryRun ? { dryRun } : {}),
    rules,
  };
}
