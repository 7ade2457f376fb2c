/** Which policies apply to one workload, and in which order they are asked. */
import type { AuthorizationAction, AuthorizationPolicy } from "../api/authorization-policy.ts";
import { selects } from "../api/label-selector.ts";
import { type MeshSnapshot, ofScope } from "./mesh-snapshot.ts";
import { type ComposedPeerAuthentication, composePeerAuthentication } from "./mutual-tls.ts";
import { policyId } from "./rule-id.ts";
import type { Workload } from "./workload.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "./workload-view.ts";

/** The mutual TLS a workload demands (PA-2..PA-18). */
export function effectivePeerAuthentication(
  { peerAuthentications, settings: { rootNamespace } }: MeshSnapshot,
  { namespace, labels }: Pick<Workload, "namespace" | "labels">,
): ComposedPeerAuthentication {
  const policies = ofScope(peerAuthentications, { rootNamespace, namespace });
  return composePeerAuthentication(policies, { rootNamespace, namespace, labels });
}

/** The authorization policies that apply to a workload, by action, in evaluation order (AP-10..AP-14, AP-35). */
export function effectiveAuthorization(
  { authorizationPolicies, settings: { rootNamespace } }: MeshSnapshot,
  { namespace, labels }: Pick<Workload, "namespace" | "labels">,
): EffectiveAuthorization {
  const applying = ofScope(authorizationPolicies, { rootNamespace, namespace }).filter(
    ({ targetRefs, selector }) => targetRefs.length === 0 && selects(selector, labels),
  );
  return {
    custom: withAction(applying, "CUSTOM"),
    audit: withAction(applying, "AUDIT"),
    deny: withAction(applying, "DENY"),
    allow: withAction(applying, "ALLOW"),
  };
}

function withAction(
  policies: readonly AuthorizationPolicy[],
  action: AuthorizationAction,
): readonly AppliedPolicy[] {
  return policies
    .filter((policy) => policy.action === action)
    .map(({ kind, meta, provider, dryRun, rules }) => ({
      ref: { kind, namespace: meta.namespace, name: meta.name },
      source: meta.source,
      action,
      ...(provider === undefined ? {} : { provider }),
      ...(dryRun ? { dryRun: true as const } : {}),
      rules,
    }))
    .sort((a, b) => (policyId(a.ref) < policyId(b.ref) ? -1 : 1));
}
