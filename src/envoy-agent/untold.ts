/** What rules ask about that Envoy does not tell: headers and claims. */
import type { AppliedPolicy, EffectiveAuthorization } from "../policy/workload-view.ts";

type AuthorizationRule = AppliedPolicy["rules"][number];

const UNTOLD = /request\.headers\[|request\.auth\.|equestPrincipals/;

/** @param unmet as in `from.source.requestPrincipals`, `when request.headers[x]` */
export function isUntold({ field }: { readonly field: string }): boolean {
  return UNTOLD.test(field);
}

export function asksUntold({ from, when }: Pick<AuthorizationRule, "from" | "when">): boolean {
  return UNTOLD.test(JSON.stringify([from, when]));
}

/** The same ALLOW policies, as if all that is not told were as they want it. */
export function withoutUntold(authorization: EffectiveAuthorization): EffectiveAuthorization {
  const allow = authorization.allow.map(
    (policy): AppliedPolicy => ({ ...policy, rules: policy.rules.map(ruleWithout) }),
  );
  return { ...authorization, allow };
}

function ruleWithout(rule: AuthorizationRule): AuthorizationRule {
  if (!asksUntold(rule)) return rule;
  return {
    ...rule,
    from: rule.from.map(
      ({ requestPrincipals: _one, notRequestPrincipals: _none, ...rest }) => rest,
    ),
    when: rule.when.filter(({ key }) => !UNTOLD.test(key)),
  };
}
