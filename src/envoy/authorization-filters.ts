/**
 * The filters that judge callers, as Istio orders and names them: who is asked, tokens, then policies. Policies are named,
 * not translated: their rules are empty here, and an Envoy that was given this would not enforce them.
 */
import { ruleId } from "../policy/rule-id.ts";
import type { AppliedPolicy, EffectiveAuthorization, Inbound } from "../policy/workload-view.ts";
import { type NetworkFilter, type RbacRules, typeUrl } from "./envoy-json.ts";
import { HTTP_RBAC, NETWORK_RBAC } from "./istio-names.ts";

type Level = "http" | "tcp";

const RBAC: Readonly<Record<Level, { readonly name: string; readonly type: string }>> = {
  http: { name: HTTP_RBAC, type: typeUrl("envoy.extensions.filters.http.rbac.v3.RBAC") },
  tcp: { name: NETWORK_RBAC, type: typeUrl("envoy.extensions.filters.network.rbac.v3.RBAC") },
};

/** For rules that external authorizers are asked about (EA-1), as Istio names them. */
const EXTERNAL = "istio-ext-authz-";

export function httpAuthorizationFilters(inbound: Inbound): readonly NetworkFilter[] {
  return [
    ...customFilters(inbound, "http"),
    ...tokenFilters(inbound),
    ...policyFilters(inbound.authorization, "http"),
  ];
}

export function tcpAuthorizationFilters(inbound: Inbound): readonly NetworkFilter[] {
  return [...customFilters(inbound, "tcp"), ...policyFilters(inbound.authorization, "tcp")];
}

function customFilters(
  { authorization, authorizers = [] }: Inbound,
  level: Level,
): readonly NetworkFilter[] {
  if (authorization.custom.length === 0) return [];
  const shadowRules = rulesOf("DENY", authorization.custom, EXTERNAL);
  const asked = authorizers.map(
    (authorizer): NetworkFilter => ({
      name: `envoy.filters.${level === "http" ? "http" : "network"}.ext_authz`,
      typedConfig: {
        "@type": typeUrl(
          `envoy.extensions.filters.${level === "http" ? "http" : "network"}.ext_authz.v3.ExtAuthz`,
        ),
        statPrefix: authorizer.name,
      },
    }),
  );
  return [rbac(level, { shadowRules }), ...asked];
}

function tokenFilters({ tokenRules = [] }: Inbound): readonly NetworkFilter[] {
  if (tokenRules.length === 0) return [];
  const providers = tokenRules.map(({ issuer, audiences }, index) => [
    `origins-${index}`,
    { issuer, ...(audiences.length > 0 && { audiences }) },
  ]);
  return [
    {
      name: "envoy.filters.http.jwt_authn",
      typedConfig: {
        "@type": typeUrl("envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"),
        providers: Object.fromEntries(providers),
      },
    },
  ];
}

function policyFilters(
  { audit, deny, allow }: EffectiveAuthorization,
  level: Level,
): readonly NetworkFilter[] {
  const actions = [
    ["LOG", audit],
    ["DENY", deny],
    ["ALLOW", allow],
  ] as const;
  return actions.flatMap(([action, policies]) => filterOf(level, action, policies));
}

/** Policies on trial are shadow rules (AP-110). */
function filterOf(
  level: Level,
  action: string,
  policies: readonly AppliedPolicy[],
): readonly NetworkFilter[] {
  if (policies.length === 0) return [];
  const enforced = policies.filter(({ dryRun }) => dryRun === undefined);
  const onTrial = policies.filter(({ dryRun }) => dryRun !== undefined);
  return [
    rbac(level, {
      ...(enforced.length > 0 && { rules: rulesOf(action, enforced) }),
      ...(onTrial.length > 0 && { shadowRules: rulesOf(action, onTrial) }),
    }),
  ];
}

function rulesOf(action: string, policies: readonly AppliedPolicy[], prefix = ""): RbacRules {
  const named = policies.flatMap(({ ref, rules }) =>
    rules.map((_, rule) => [`${prefix}${ruleId({ policy: ref, rule })}`, {}]),
  );
  // ALLOW is what Envoy takes where nothing is said.
  return { ...(action !== "ALLOW" && { action }), policies: Object.fromEntries(named) };
}

function rbac(level: Level, rules: object): NetworkFilter {
  const { name, type } = RBAC[level];
  const statPrefix = level === "tcp" ? { statPrefix: "tcp." } : {};
  return { name, typedConfig: { "@type": type, ...rules, ...statPrefix } };
}
