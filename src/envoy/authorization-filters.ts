/**
 * The filters by which chains judge their callers: policies of the actions AUDIT, DENY and ALLOW. What decides is asked for
 * by name; the same as Istio writes it is for people and istioctl.
 */

import { ruleId } from "../policy/rule-id.ts";
import type {
  AppliedPolicy,
  EffectiveAuthorization,
  Inbound,
  Trust,
  WorkloadView,
} from "../policy/workload-view.ts";
import {
  type DiscoveredContext,
  discoveredConfigs,
} from "./authorization/discovered-authorization.ts";
import { fingerprint } from "./authorization/fingerprint.ts";
import { linearFilters } from "./authorization/linear/linear-filters.ts";
import { localPortOf } from "./authorization/local-ports.ts";
import { type Level as JudgedLevel, RBAC_TYPES } from "./authorization/rbac-filter.ts";
import { type NetworkFilter, type RbacRules, typeUrl } from "./envoy-json.ts";
import type { AuthorizeChain, ChainAuthorization } from "./inbound/judged-chain.ts";
import { HTTP_RBAC, NETWORK_RBAC } from "./istio-names.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { remembered } from "./remembered.ts";

/** Rules up to which each is asked in turn: more of them cost more than a search. */
const LINEAR_UP_TO = 100;
/** Of Envoy: the first one that was seen to go on where a matcher within a matcher finds nothing. */
const FIRST_WITH_MATCHERS = [1, 40];

/** Istio's filters, rules inside; nothing is asked for. */
export function inlinedAuthorization({
  inbound: { authorization },
  trust,
}: Pick<WorkloadView, "inbound" | "trust">): AuthorizeChain {
  return ({ level }) => {
    const filters = linearFilters(authorization, { level, trust });
    return { filters, extensionConfigs: [], fingerprint: fingerprint(filters) };
  };
}

/** @param settings which forms the proxy knows, and on which ports connections reach it */
export function discoveredAuthorization(
  view: Pick<WorkloadView, "inbound" | "trust" | "gateway">,
  settings: ProxySettings,
): AuthorizeChain {
  const { inbound, trust } = view;
  return settings.capture === undefined
    ? byKind(inbound.authorization, { trust, settings, portOf: localPortOf(view, settings) })
    : captured(inbound.authorization, trust, settings);
}

/** Ports are what they are called: many proxies are given the same. */
const captured: (
  authorization: EffectiveAuthorization,
  trust: Trust,
  settings: ProxySettings,
) => AuthorizeChain = remembered((authorization, trust, settings) =>
  byKind(authorization, { trust, settings, portOf: (port) => port }),
);

/** The same object for all chains of one kind. */
function byKind(
  authorization: EffectiveAuthorization,
  {
    trust,
    settings,
    portOf,
  }: Pick<DiscoveredContext, "trust" | "portOf"> & { readonly settings: ProxySettings },
): AuthorizeChain {
  const known = new Map<string, ChainAuthorization>();
  return ({ level, transport }) => {
    const peer = transport === "mesh-tls" ? "mesh" : "nobody";
    const key = `${level} ${peer}`;
    const made =
      known.get(key) ??
      discovered(authorization, {
        kind: { level, peer },
        trust,
        portOf,
        linearUpTo: settings.linearUpTo ?? LINEAR_UP_TO,
        form: hasMatchers(settings.version) ? "matcher" : "linear",
      });
    known.set(key, made);
    return made;
  };
}

function discovered(
  authorization: EffectiveAuthorization,
  context: DiscoveredContext,
): ChainAuthorization {
  const extensionConfigs = discoveredConfigs(authorization, context);
  return {
    filters: extensionConfigs.map(({ name }) => named(context.kind.level, name)),
    extensionConfigs,
    fingerprint: fingerprint(extensionConfigs),
  };
}

/** Until it is there the chain waits, and where it cannot be had, everything is denied. */
function named(level: JudgedLevel, name: string): NetworkFilter {
  const type = RBAC_TYPES[level];
  const denial = { "@type": type, rules: {}, ...(level === "tcp" && { statPrefix: "tcp." }) };
  return {
    name,
    configDiscovery: {
      configSource: { ads: {}, resourceApiVersion: "V3" },
      defaultConfig: denial,
      applyDefaultConfigWithoutWarming: false,
      typeUrls: [type],
    },
  };
}

/** @param version as `1.40.0`; of one that cannot be read nothing new is expected */
function hasMatchers(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_WITH_MATCHERS;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}

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
