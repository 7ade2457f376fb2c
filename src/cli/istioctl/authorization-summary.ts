/** `x authz check`: the AuthorizationPolicies that a proxy has, told by the names of the rules in its listeners (CTL-29). */
import type { EnvoyListener, FilterSettings } from "../../envoy/envoy-json.ts";
import { HTTP_CONNECTION_MANAGER, HTTP_RBAC, NETWORK_RBAC } from "../../envoy/istio-names.ts";
import { compare } from "./cluster-key.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 3;
const HEADINGS = ["ACTION", "AuthorizationPolicy", "RULES"];
const ACTIONS = ["DENY", "ALLOW", "LOG", "CUSTOM"] as const;
const EXTERNAL = "istio-ext-authz-";
/** Of a filter without any policy: it lets nobody through. */
const ANONYMOUS = "_anonymous_match_nothing_";
const RULE = /(?:istio-ext-authz-)?ns\[(.+)\]-policy\[(.+)\]-rule\[(.+)\]/;

interface NamedRule {
  readonly action: string;
  /** `readers.shop` */
  readonly policy: string;
  readonly rule: string;
}

export function authorizationSummary(listeners: readonly EnvoyListener[]): readonly string[] {
  const rules = rbacIn(listeners).flatMap(rulesOf);
  const rows = ACTIONS.flatMap((action) => {
    const named = rules.filter((rule) => rule.action === action);
    return [...new Set(named.map(({ policy }) => policy))].sort(compare).map((policy) => {
      const own = rules.filter((rule) => rule.policy === policy).map(({ rule }) => rule);
      return [action, policy, String(new Set(own).size)];
    });
  });
  return tabColumns([HEADINGS, ...rows], PADDING);
}

function rbacIn(listeners: readonly EnvoyListener[]): readonly FilterSettings[] {
  const filters = listeners
    .flatMap(({ filterChains = [] }) => filterChains)
    .flatMap(({ filters: own = [] }) => own);
  const http = filters
    .filter(({ name }) => name === HTTP_CONNECTION_MANAGER)
    .flatMap(({ typedConfig }) => typedConfig?.httpFilters ?? [])
    .filter(({ name }) => name === HTTP_RBAC);
  const tcp = filters.filter(({ name }) => name === NETWORK_RBAC);
  return [...http, ...tcp].flatMap(({ typedConfig }) =>
    typedConfig === undefined ? [] : [typedConfig],
  );
}

function rulesOf({ rules, shadowRules }: FilterSettings): readonly NamedRule[] {
  const action = rules?.action ?? "ALLOW";
  const enforced = Object.keys(rules?.policies ?? {});
  const external = Object.keys(shadowRules?.policies ?? {}).filter((name) =>
    name.startsWith(EXTERNAL),
  );
  return [
    ...enforced.map((name) => namedRule(action, name)),
    ...external.map((name) => namedRule("CUSTOM", name)),
    ...(enforced.length === 0 ? [{ action, policy: ANONYMOUS, rule: "0" }] : []),
  ];
}

function namedRule(action: string, name: string): NamedRule {
  const [, namespace, policy, rule] = RULE.exec(name) ?? [];
  return policy === undefined
    ? { action, policy: "", rule: "" }
    : { action, policy: `${policy}.${namespace}`, rule: rule ?? "" };
}
