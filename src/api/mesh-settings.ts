/** Settings of the whole mesh, and what they are when nobody says: apart from their reader, which sidecars do not need. */

import type { CustomTag } from "./custom-tag.ts";
import type { ExtensionProvider } from "./extension-provider.ts";
import type { WrittenGatewayTopology } from "./gateway-topology-settings.ts";
import type { WrittenProxyHeaders } from "./proxy-headers.ts";
import type { RateLimitSettings } from "./rate-limit-settings.ts";
import type { RetryPolicy } from "./routing/route-parts.ts";
import { DEFAULT_TOKEN_KEY_SETTINGS, type TokenKeySettings } from "./token-key-settings.ts";

export const PATH_NORMALIZATIONS = [
  "DEFAULT",
  "NONE",
  "BASE",
  "MERGE_SLASHES",
  "DECODE_AND_MERGE_SLASHES",
] as const;
export type PathNormalization = (typeof PATH_NORMALIZATIONS)[number];

export const OUTBOUND_TRAFFIC_POLICIES = ["ALLOW_ANY", "REGISTRY_ONLY"] as const;
export type OutboundTrafficPolicy = (typeof OUTBOUND_TRAFFIC_POLICIES)[number];

export interface MeshSettings {
  /** CA-18 */
  readonly trustDomain: string;
  /** CA-55 */
  readonly trustDomainAliases: readonly string[];
  /** CA-57 */
  readonly rootNamespace: string;
  /** TLS-20 */
  readonly enableAutoMtls: boolean;
  /** AP-100 */
  readonly pathNormalization: PathNormalization;
  /** TLS-10 */
  readonly minimumTlsVersion: "TLSv1.2" | "TLSv1.3";
  /** `defaultConfig.proxyMetadata`: environment of every sidecar, such as `SECRET_TTL` (CA-30). */
  readonly proxyMetadata: Readonly<Record<string, string>>;
  /** `defaultConfig.proxyHeaders`, where pods say nothing else. */
  readonly proxyHeaders: WrittenProxyHeaders;
  /** `defaultConfig.gatewayTopology`, where gateways say nothing else. */
  readonly gatewayTopology: WrittenGatewayTopology;
  /** `defaultConfig.concurrency`: how many processes share the ports of a sidecar; 0: one for each core. */
  readonly concurrency: number;
  /** Whether addresses that are no destination of the mesh can be reached, where sidecars take all connections. */
  readonly outboundTrafficPolicy: OutboundTrafficPolicy;
  readonly accessLog: MeshAccessLog;
  readonly tracing: MeshTracing;
  /** Each name once; those that Istio has by default are among them (AP-120, EA-1). */
  readonly extensionProviders: readonly ExtensionProvider[];
  readonly tokenKeys: TokenKeySettings;
  readonly rateLimits: RateLimitSettings;
  /** Whom resources are for that do not say it; absent: all. */
  readonly defaultExportTo?: DefaultExportTo;
  /** `defaultHttpRetryPolicy`, where a route says nothing; absent: `DEFAULT_RETRIES`. */
  readonly defaultHttpRetries?: RetryPolicy | "off";
}

/** As written; of the words only "." and "*" count, as in Istio. */
export interface DefaultExportTo {
  /** `defaultVirtualServiceExportTo`; empty: all. */
  readonly virtualServices: readonly string[];
  /** `defaultDestinationRuleExportTo`; empty: all. */
  readonly destinationRules: readonly string[];
  /** `defaultServiceExportTo`, for ServiceEntries; empty: all. */
  readonly serviceEntries: readonly string[];
}

/** What the mesh configuration itself says of access logs (OBS-3). */
export interface MeshAccessLog {
  /** `accessLogFile`; "" for none. */
  readonly file: string;
  readonly format: LogFormat;
  /** `defaultProviders.accessLogging`: to whom is told what no Telemetry says otherwise (OBS-10). */
  readonly providers: readonly string[];
  /** Whether connections that are refused before they carry anything are logged (OBS-4). */
  readonly refusals: "logged" | "left out";
}

/** What the mesh configuration itself says of spans. */
export interface MeshTracing {
  /** `defaultProviders.tracing`, of which the first counts. */
  readonly providers: readonly string[];
  /** `defaultConfig.tracing.sampling`, where no Telemetry says it: from 0 to 100. */
  readonly samplingPercentage: number;
  /** `defaultConfig.tracing.customTags`, where no Telemetry has any. */
  readonly customTags: readonly CustomTag[];
  /** `defaultConfig.tracing.maxPathTagLength`, in characters. */
  readonly maxPathTagLength: number;
}

/** How a line is written. */
export interface LogFormat {
  readonly encoding: "TEXT" | "JSON";
  /** With Envoy's command operators: a line, or a JSON object of such texts; absent: Istio's own (OBS-1, OBS-2). */
  readonly template?: string;
  /** Whether what is absent is left out, rather than written as "-" or null. */
  readonly omitEmpty?: true;
}

/** Istio's own. */
export const DEFAULT_PROVIDERS: readonly ExtensionProvider[] = [
  { name: "prometheus", kind: "prometheus" },
  { name: "stackdriver", kind: "stackdriver" },
  { name: "envoy", kind: "envoyFileAccessLog", path: "/dev/stdout" },
];

export const DEFAULT_MESH_SETTINGS: MeshSettings = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootNamespace: "istio-system",
  enableAutoMtls: true,
  pathNormalization: "DEFAULT",
  minimumTlsVersion: "TLSv1.2",
  proxyMetadata: {},
  proxyHeaders: {},
  gatewayTopology: {},
  concurrency: 1,
  outboundTrafficPolicy: "ALLOW_ANY",
  accessLog: { file: "", format: { encoding: "TEXT" }, providers: [], refusals: "logged" },
  tracing: { providers: [], samplingPercentage: 1, customTags: [], maxPathTagLength: 256 },
  extensionProviders: DEFAULT_PROVIDERS,
  tokenKeys: DEFAULT_TOKEN_KEY_SETTINGS,
  rateLimits: {},
};
