/** Envoy's RBAC filter, of requests and of connections (envoy.extensions.filters.http.rbac.v3, .network.rbac.v3). */
import { type FilterSettings, type NetworkFilter, type RbacRules, typeUrl } from "../envoy-json.ts";
import { HTTP_RBAC, NETWORK_RBAC } from "../istio-names.ts";

export type Level = "http" | "tcp";

export interface RbacSettings {
  /** Absent, as `matcher`: everything is let through. */
  readonly rules?: RbacRules;
  readonly shadowRules?: RbacRules;
  readonly shadowRulesStatPrefix?: string;
  /** xds.type.matcher.v3.Matcher */
  readonly matcher?: object;
  readonly shadowMatcher?: object;
}

export const RBAC_NAMES: Readonly<Record<Level, string>> = { http: HTTP_RBAC, tcp: NETWORK_RBAC };
export const RBAC_TYPES: Readonly<Record<Level, string>> = {
  http: typeUrl("envoy.extensions.filters.http.rbac.v3.RBAC"),
  tcp: typeUrl("envoy.extensions.filters.network.rbac.v3.RBAC"),
};

export function rbacFilter(level: Level, settings: RbacSettings): NetworkFilter {
  return { name: RBAC_NAMES[level], typedConfig: rbacSettings(level, settings) };
}

export function rbacSettings(level: Level, settings: RbacSettings): FilterSettings {
  return {
    "@type": RBAC_TYPES[level],
    ...settings,
    ...(level === "tcp" && { statPrefix: "tcp." }),
  };
}
