/** Whether rules of one action match, as a matcher of Envoy's RBAC: DENY where one does, ALLOW elsewhere. For the shadow. */
import type { ResourceRef } from "../../../api/resource.ts";
import type { AppliedPolicy } from "../../../policy/workload-view.ts";
import { type DemandContext, ruleDemands } from "../rule-demands.ts";
import { authorizationMatcher } from "./authorization-matcher.ts";
import type { ChainKind } from "./demand-predicate.ts";
import type { Matcher } from "./match-tree.ts";

export interface MatchedRulesContext extends DemandContext, ChainKind {
  /** How a rule is called where it matches; absent: by its id in Istio (AP-34). */
  readonly nameOf?: (policy: ResourceRef, rule: number) => string;
}

/**
 * For `matcher` or `shadowMatcher`; what cannot be told apart, such as a peer with several identities, counts as matched.
 *
 * @param policies of one action
 */
export function matchedRules(
  policies: readonly AppliedPolicy[],
  { nameOf, peer, portOf, ...context }: MatchedRulesContext,
): Matcher {
  const rules = ruleDemands(policies, context).map((demanded) =>
    nameOf === undefined ? demanded : { ...demanded, id: nameOf(demanded.policy, demanded.rule) },
  );
  return authorizationMatcher(
    { deny: rules },
    { kind: { peer, portOf }, domains: context.trust, indexed: false },
  );
}
