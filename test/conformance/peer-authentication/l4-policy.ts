/** A policy as ztunnel has it, as the AuthorizationPolicy that istiod would have made it of. */
import type { ExclusionRule } from "../suite-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { type L4Rule, writtenRules } from "./connection-rules.ts";

export interface L4Policy {
  readonly name?: string;
  readonly namespace?: string;
  readonly action: "ALLOW" | "DENY";
  readonly scope: "GLOBAL" | "NAMESPACE" | "WORKLOAD_SELECTOR";
  readonly dryRun?: boolean;
  readonly rules: readonly L4Rule[];
}

export const ROOT_NAMESPACE = "istio-system";

export const UNSELECTED: ExclusionRule<L4Policy> = {
  reason: "which workloads a policy selects is no part of ztunnel's policy (AP-141)",
  applies: ({ scope }) => scope === "WORKLOAD_SELECTOR",
};

/** A DENY policy that never matches cannot be written, and is none (VAL-21). */
export function securityPolicy(policy: L4Policy): readonly UpstreamObject[] {
  const { name = "the-policy", namespace = "default", action, scope, dryRun = false } = policy;
  const rules = writtenRules(policy.rules);
  if (rules.length === 0 && action === "DENY") return [];
  return [
    {
      metadata: {
        name,
        namespace: scope === "GLOBAL" ? ROOT_NAMESPACE : namespace,
        ...(dryRun && { annotations: { "istio.io/dry-run": "true" } }),
      },
      spec: { action, ...(rules.length > 0 && { rules }) },
    },
  ];
}
