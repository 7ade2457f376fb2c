/** Which policies apply to one workload, and in which order they are asked. */
import type { AuthorizationAction, AuthorizationPolicy } from "../api/authorization-policy.ts";
import type { JwtRule } from "../api/request-authentication.ts";
import type { ResourceRef, SourceLocation } from "../api/resource.ts";
import { type MeshSnapshot, ofScope } from "./mesh-snapshot.ts";
import { type ComposedPeerAuthentication, composePeerAuthentication } from "./mutual-tls.ts";
import { type PolicySubject, policiesFor } from "./policy-selection.ts";
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

/** The authorization policies that apply to a workload, by action, in evaluation order (AP-10..AP-18, AP-35). */
export function effectiveAuthorization(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
): EffectiveAuthorization {
  return compileAuthorization(snapshot)(subject);
}

/** The same for one workload after the other: those to whom the same policies apply share one object. */
export function compileAuthorization({
  authorizationPolicies,
  settings: { rootNamespace },
  gatewaySelectors,
}: MeshSnapshot): (subject: PolicySubject) => EffectiveAuthorization {
  const options = { rootNamespace, gatewaySelectors };
  const known = new Map<string, EffectiveAuthorization>();
  return (subject) => {
    const applying = policiesFor(authorizationPolicies, subject, options);
    const key = applying.map(({ meta }) => `${meta.namespace}/${meta.name}`).join(" ");
    const authorization = known.get(key) ?? {
      custom: withAction(applying, "CUSTOM"),
      audit: withAction(applying, "AUDIT"),
      deny: withAction(applying, "DENY"),
      allow: withAction(applying, "ALLOW"),
    };
    known.set(key, authorization);
    return authorization;
  };
}

/** A rule of a RequestAuthentication that applies to a workload, and where it was written. */
export interface AppliedJwtRule {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
  readonly rule: JwtRule;
}

/** Every rule of every RequestAuthentication that applies, by issuer; of equals all are kept (JWT-2, JWT-3, JWT-7). */
export function effectiveRequestAuthentications(
  { requestAuthentications, settings: { rootNamespace }, gatewaySelectors }: MeshSnapshot,
  subject: PolicySubject,
): readonly AppliedJwtRule[] {
  const options = { rootNamespace, gatewaySelectors };
  return policiesFor(requestAuthentications, subject, options)
    .flatMap(({ kind, meta, rules }) =>
      rules.map((rule) => ({
        ref: { kind, namespace: meta.namespace, name: meta.name },
        source: { file: meta.source.file, line: rule.line },
        rule,
      })),
    )
    .sort(({ rule: { issuer: one } }, { rule: { issuer: other } }) => compareTexts(one, other));
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function withAction(
  policies: readonly AuthorizationPolicy[],
  action: AuthorizationAction,
): readonly AppliedPolicy[] {
  return policies
    .filter((policy) => policy.action === action)
    .map(appliedOf)
    .sort((a, b) => (policyId(a.ref) < policyId(b.ref) ? -1 : 1));
}

const APPLIED: WeakMap<AuthorizationPolicy, AppliedPolicy> = new WeakMap();

/** The same object for the same policy, so that what is made of it can be found again. */
function appliedOf(policy: AuthorizationPolicy): AppliedPolicy {
  const known = APPLIED.get(policy);
  if (known !== undefined) return known;
  const { kind, meta, action, provider, dryRun, rules } = policy;
  const applied = {
    ref: { kind, namespace: meta.namespace, name: meta.name },
    source: meta.source,
    action,
    ...(provider === undefined ? {} : { provider }),
    ...(dryRun ? { dryRun: true as const } : {}),
    rules,
  };
  APPLIED.set(policy, applied);
  return applied;
}
