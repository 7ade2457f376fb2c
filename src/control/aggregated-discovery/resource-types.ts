/** The types of resources that proxies ask for, in the order in which changes are sent. */
import type { EnvoyResources } from "../../envoy/envoy-json.ts";

export type ResourceKind = keyof EnvoyResources;

export interface ResourceType {
  readonly kind: ResourceKind;
  /** As in requests and responses. */
  readonly typeUrl: string;
  /** Whether a proxy that names none means all. */
  readonly wildcard: "possible" | "none";
  /** How messages for people call it. */
  readonly called: string;
}

export const LISTENERS: ResourceType = type(
  "listeners",
  "envoy.config.listener.v3.Listener",
  "possible",
  "listeners",
);
export const AUTHORIZATION: ResourceType = type(
  "extensionConfigs",
  "envoy.config.core.v3.TypedExtensionConfig",
  "none",
  "authorization",
);
export const ENDPOINTS: ResourceType = type(
  "endpoints",
  "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "none",
  "endpoints",
);

/**
 * Authorization comes first: nothing else is as urgent, and it leans on nothing else. Then each before what leans on it:
 * listeners name routes, both name clusters, and clusters name endpoints.
 */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  AUTHORIZATION,
  type("clusters", "envoy.config.cluster.v3.Cluster", "possible", "clusters"),
  ENDPOINTS,
  LISTENERS,
  type("routes", "envoy.config.route.v3.RouteConfiguration", "none", "routes"),
];

/** @returns undefined for types that are not served here */
export function resourceTypeOf(typeUrl: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((one) => one.typeUrl === typeUrl);
}

function type(
  kind: ResourceKind,
  message: string,
  wildcard: ResourceType["wildcard"],
  called: string,
): ResourceType {
  return { kind, typeUrl: `type.googleapis.com/${message}`, wildcard, called };
}
