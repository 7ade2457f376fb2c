/** RBAC filters with their rules inside, as Istio orders and names them (AP-2, AP-5, AP-8). */
import type {
  AppliedPolicy,
  EffectiveAuthorization,
  Trust,
} from "../../../policy/workload-view.ts";
import type { NetworkFilter, RbacRules } from "../../envoy-json.ts";
import { type RbacSettings, rbacFilter } from "../rbac-filter.ts";
import type { DemandContext } from "../rule-demands.ts";
import { linearRules } from "./linear-rules.ts";
import type { PortOf } from "./permissions.ts";

export interface LinearFilterContext {
  readonly level: "http" | "tcp";
  readonly trust: Trust;
  readonly portOf?: PortOf;
}

export type LinearAction = "AUDIT" | "DENY" | "ALLOW";

/** AUDIT, then DENY, then ALLOW: a filter for each action that has policies. */
export function linearFilters(
  { audit, deny, allow }: EffectiveAuthorization,
  context: LinearFilterContext,
): readonly NetworkFilter[] {
  const settings = [
    linearSettings(audit, { ...context, action: "AUDIT" }),
    linearSettings(deny, { ...context, action: "DENY" }),
    linearSettings(allow, { ...context, action: "ALLOW" }),
  ];
  return settings.filter((one) => one !== undefined).map((one) => rbacFilter(context.level, one));
}

/** Policies on trial are shadow rules (AP-110). @returns undefined where there are none of either kind */
function linearSettings(
  policies: readonly AppliedPolicy[],
  context: LinearFilterContext & { readonly action: LinearAction },
): RbacSettings | undefined {
  if (policies.length === 0) return undefined;
  const rules = rulesOf(inForce(policies), context);
  const shadowRules = rulesOf(onTrial(policies), context);
  return {
    ...(rules && { rules }),
    ...(shadowRules && { shadowRules }),
    ...(context.action !== "AUDIT" || shadowRules === undefined
      ? { shadowRulesStatPrefix: shadowPrefix(shadowRules) }
      : {}),
  };
}

export function inForce(policies: readonly AppliedPolicy[]): readonly AppliedPolicy[] {
  return policies.filter(({ dryRun }) => dryRun === undefined);
}

export function onTrial(policies: readonly AppliedPolicy[]): readonly AppliedPolicy[] {
  return policies.filter(({ dryRun }) => dryRun !== undefined);
}

/** AP-111: by what the shadow rules do; of no rules Istio's is that of ALLOW. */
export function shadowPrefix(shadowRules: RbacRules | undefined): string {
  return shadowRules?.action === "DENY" ? "istio_dry_run_deny_" : "istio_dry_run_allow_";
}

function rulesOf(
  policies: readonly AppliedPolicy[],
  context: DemandContext & { readonly portOf?: PortOf },
): RbacRules | undefined {
  return policies.length === 0 ? undefined : linearRules(policies, context);
}
