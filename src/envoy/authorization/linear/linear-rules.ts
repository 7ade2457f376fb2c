/**
 * Policies as Istio translates them: one entry for each rule, all of one action asked in turn
 * (envoy.config.rbac.v3.RBAC). What people and istioctl read; what judges is the matcher beside this folder.
 */
import type { ResourceRef } from "../../../api/resource.ts";
import { ruleId } from "../../../policy/rule-id.ts";
import type { AppliedPolicy } from "../../../policy/workload-view.ts";
import type { RbacRules } from "../../envoy-json.ts";
import { type Demand, type DemandContext, type RuleDemands, ruleDemands } from "../rule-demands.ts";
import {
  allOf as allPermissions,
  NEVER_PERMITTED,
  type PortOf,
  permission,
} from "./permissions.ts";
import { allOf as allPrincipals, NEVER_SOMEBODY, principal } from "./principals.ts";

export interface LinearContext extends DemandContext {
  /** How a rule is called; absent: by its id in Istio (AP-34). */
  readonly nameOf?: (policy: ResourceRef, rule: number) => string;
  /** Absent: connections arrive on the container's ports. */
  readonly portOf?: PortOf;
}

const ACTIONS = { ALLOW: undefined, DENY: "DENY", CUSTOM: "DENY", AUDIT: "LOG" } as const;

/** @param policies of one action; a policy without rules becomes one that never matches (AP-20) */
export function linearRules(
  policies: readonly AppliedPolicy[],
  {
    nameOf = (policy, rule) => ruleId({ policy, rule }),
    portOf = (port) => port,
    ...context
  }: LinearContext,
): RbacRules {
  const ruleless = policies.filter(({ rules }) => rules.length === 0);
  const entries = ruleDemands(policies, context).map((rule): [string, object] => [
    nameOf(rule.policy, rule.rule),
    rulePolicy(rule, portOf),
  ]);
  const nothing = ruleless.map(({ ref }): [string, object] => [nameOf(ref, 0), MATCHES_NOTHING]);
  const all = [...entries, ...nothing].sort(([a], [b]) => (a < b ? -1 : 1));
  const action = ACTIONS[context.action];
  return {
    // ALLOW is what Envoy takes where nothing is said.
    ...(action !== undefined && { action }),
    ...(all.length > 0 && { policies: Object.fromEntries(all) }),
  };
}

const MATCHES_NOTHING = { permissions: [NEVER_PERMITTED], principals: [NEVER_SOMEBODY] };

/** envoy.config.rbac.v3.Policy */
function rulePolicy({ from, to, when }: RuleDemands, portOf: PortOf): object {
  return {
    permissions: orTrue(to).map((operation) =>
      allPermissions(
        said([...inIstiosOrder(operation), ...when], (demand) => permission(demand, portOf)),
      ),
    ),
    principals: orTrue(from).map((source) =>
      allPrincipals(said([...inIstiosOrder(source), ...when], principal)),
    ),
  };
}

function said<T>(
  demands: readonly Demand[],
  translate: (demand: Demand) => T | undefined,
): readonly T[] {
  return demands.map(translate).filter((one) => one !== undefined);
}

function orTrue(alternatives: readonly (readonly Demand[])[]): readonly (readonly Demand[])[] {
  return alternatives.length === 0 ? [[]] : alternatives;
}

/** Of sources, then of operations. */
const ORDER: readonly Demand["subject"]["about"][] = [
  "principal",
  "request principal",
  "service account",
  "trust domain",
  "namespace",
  "remote address",
  "source address",
  "host",
  "method",
  "path",
  "port",
];

function inIstiosOrder(demands: readonly Demand[]): readonly Demand[] {
  const place = ({ subject }: Demand): number => ORDER.indexOf(subject.about);
  return [...demands].sort((a, b) => place(a) - place(b));
}
