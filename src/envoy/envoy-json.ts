/**
 * The parts of Envoy's v3 configuration that are made and read here, in the JSON of proto3 (camel case, absent where a
 * field has its default). Source: envoy.config.listener.v3, cluster.v3, route.v3, endpoint.v3, envoy.admin.v3.
 */

/** All that istioctl prints of a proxy. */
export interface EnvoyConfig {
  readonly listeners: readonly EnvoyListener[];
  readonly clusters: readonly EnvoyCluster[];
  readonly routes: readonly RouteConfiguration[];
  readonly endpoints: readonly ClusterLoadAssignment[];
}

/**
 * All that one Envoy is served; each list in the order in which it is sent, lists in that of the protocol. Every config
 * source among them is ADS; secrets are asked of the static cluster `sds-grpc`.
 */
export interface EnvoyResources extends EnvoyConfig {
  /** By ECDS: what filters of listeners only name. */
  readonly extensionConfigs: readonly ExtensionConfig[];
}

/** envoy.config.core.v3.TypedExtensionConfig */
export interface ExtensionConfig {
  readonly name: string;
  readonly typedConfig: FilterSettings;
}

export interface EnvoyListener {
  readonly name?: string;
  readonly address?: EnvoyAddress;
  readonly additionalAddresses?: readonly { readonly address?: EnvoyAddress }[];
  readonly filterChains?: readonly FilterChain[];
  readonly defaultFilterChain?: FilterChain;
  readonly listenerFilters?: readonly NetworkFilter[];
  readonly trafficDirection?: "INBOUND" | "OUTBOUND";
  readonly bindToPort?: boolean;
  readonly [field: string]: unknown;
}

export interface EnvoyAddress {
  readonly socketAddress?: { readonly address?: string; readonly portValue?: number };
  /** Relative to Envoy's working directory where it is its agent's. */
  readonly pipe?: { readonly path?: string; readonly mode?: number };
  readonly envoyInternalAddress?: {
    readonly serverListenerName?: string;
    readonly endpointId?: string;
  };
}

export interface FilterChain {
  readonly name?: string;
  readonly filterChainMatch?: FilterChainMatch;
  readonly filters?: readonly NetworkFilter[];
  readonly transportSocket?: TransportSocket;
  readonly metadata?: EnvoyMetadata;
}

export interface FilterChainMatch {
  readonly destinationPort?: number;
  readonly prefixRanges?: readonly AddressRange[];
  readonly serverNames?: readonly string[];
  readonly transportProtocol?: string;
  readonly applicationProtocols?: readonly string[];
}

export interface AddressRange {
  readonly addressPrefix?: string;
  readonly prefixLen?: number;
}

export interface NetworkFilter {
  readonly name?: string;
  readonly typedConfig?: FilterSettings;
  /** By ECDS; in place of `typedConfig`. */
  readonly configDiscovery?: object;
}

/** Of the connection manager, the TCP proxy and RBAC: what is read of each. */
export interface FilterSettings {
  readonly "@type": string;
  readonly routeConfig?: RouteConfiguration;
  readonly rds?: { readonly routeConfigName?: string; readonly configSource?: object };
  readonly httpFilters?: readonly NetworkFilter[];
  readonly cluster?: string;
  readonly rules?: RbacRules;
  readonly shadowRules?: RbacRules;
  readonly [field: string]: unknown;
}

export interface RbacRules {
  readonly action?: string;
  /** By their names in Istio: `ns[shop]-policy[readers]-rule[0]` (AP-34). */
  readonly policies?: Readonly<Record<string, object>>;
}

export interface TransportSocket {
  readonly name: string;
  readonly typedConfig?: { readonly "@type": string; readonly [field: string]: unknown };
}

export interface EnvoyMetadata {
  readonly filterMetadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface EnvoyCluster {
  readonly name?: string;
  /** Absent: STATIC. */
  readonly type?: string;
  readonly metadata?: EnvoyMetadata;
  readonly loadAssignment?: ClusterLoadAssignment;
  readonly [field: string]: unknown;
}

export interface RouteConfiguration {
  readonly name?: string;
  readonly virtualHosts?: readonly EnvoyVirtualHost[];
  readonly [field: string]: unknown;
}

export interface EnvoyVirtualHost {
  readonly name?: string;
  readonly domains?: readonly string[];
  readonly routes?: readonly EnvoyRoute[];
  readonly requireTls?: "ALL";
}

export interface EnvoyRoute {
  readonly name?: string;
  readonly match?: RouteMatch;
  readonly route?: {
    readonly cluster?: string;
    readonly weightedClusters?: {
      readonly clusters?: readonly { readonly name?: string; readonly weight?: number }[];
    };
    readonly timeout?: string;
    readonly [field: string]: unknown;
  };
  readonly redirect?: object;
  readonly directResponse?: { readonly status?: number; readonly body?: object };
  readonly metadata?: EnvoyMetadata;
  readonly typedPerFilterConfig?: Readonly<Record<string, FilterSettings>>;
  readonly [field: string]: unknown;
}

export interface RouteMatch {
  readonly prefix?: string;
  readonly pathSeparatedPrefix?: string;
  readonly path?: string;
  readonly safeRegex?: { readonly regex?: string };
  readonly caseSensitive?: boolean;
  readonly headers?: readonly object[];
  readonly queryParameters?: readonly object[];
  readonly dynamicMetadata?: readonly object[];
  readonly connectMatcher?: object;
}

export interface ClusterLoadAssignment {
  readonly clusterName?: string;
  readonly endpoints?: readonly LocalityEndpoints[];
  readonly policy?: object;
}

export interface LocalityEndpoints {
  readonly locality?: {
    readonly region?: string;
    readonly zone?: string;
    readonly subZone?: string;
  };
  readonly lbEndpoints?: readonly LbEndpoint[];
  readonly loadBalancingWeight?: number;
}

export interface LbEndpoint {
  readonly endpoint?: {
    readonly address?: EnvoyAddress;
    readonly additionalAddresses?: readonly { readonly address?: EnvoyAddress }[];
    readonly healthCheckConfig?: object;
  };
  readonly healthStatus?: string;
  readonly metadata?: EnvoyMetadata;
  readonly loadBalancingWeight?: number;
}

/** Where Envoy finds what a resource only names: on the stream by which it came. */
export const BY_ADS: object = { ads: {}, resourceApiVersion: "V3" };

/** Whole milliseconds, as proto3 writes a Duration: `0.25s`. */
export function duration(ms: number): string {
  return `${ms / 1_000}s`;
}

/** @param type as `envoy.config.listener.v3.Listener` */
export function typeUrl(type: string): string {
  return `type.googleapis.com/${type}`;
}
