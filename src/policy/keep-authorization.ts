/** The policies of a view as they change: one that is other than before makes no others new, wherever it stands. */
import { keepEqual, keepEqualByKey } from "./keep-equal.ts";
import { policyId } from "./rule-id.ts";
import type { AppliedPolicy, EffectiveAuthorization } from "./workload-view.ts";

/** @returns `before` itself where both are equal */
export function keepAuthorization(
  before: EffectiveAuthorization,
  next: EffectiveAuthorization,
): EffectiveAuthorization {
  const kept: EffectiveAuthorization = {
    ...next, // in its order, by which versions are made
    custom: keepPolicies(before.custom, next.custom),
    audit: keepPolicies(before.audit, next.audit),
    deny: keepPolicies(before.deny, next.deny),
    allow: keepPolicies(before.allow, next.allow),
  };
  const fields = Object.keys(kept) as (keyof EffectiveAuthorization)[];
  return fields.every((field) => kept[field] === before[field]) ? before : kept;
}

function keepPolicies(
  before: readonly AppliedPolicy[],
  next: readonly AppliedPolicy[],
): readonly AppliedPolicy[] {
  return keepEqualByKey(before, next, { keyOf: ({ ref }) => policyId(ref), keep: keepEqual });
}
