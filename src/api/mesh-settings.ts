/** Settings of the whole mesh, and what they are when nobody says: apart from their reader, which sidecars do not need. */
import type { ExtensionProvider } from "./extension-provider.ts";

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
  /** Whether addresses that are no destination of the mesh can be reached, where sidecars take all connections. */
  readonly outboundTrafficPolicy: OutboundTrafficPolicy;
  /** Each name once; those that Istio has by default are among them (AP-120, EA-1). */
  readonly extensionProviders: readonly ExtensionProvider[];
}

/** Istio's own. */
export const DEFAULT_PROVIDERS: readonly ExtensionProvider[] = [
  { name: "prometheus", kind: "prometheus" },
  { name: "stackdriver", kind: "stackdriver" },
  { name: "envoy", kind: "envoyFileAccessLog" },
];

export const DEFAULT_MESH_SETTINGS: MeshSettings = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootNamespace: "istio-system",
  enableAutoMtls: true,
  pathNormalization: "DEFAULT",
  minimumTlsVersion: "TLSv1.2",
  proxyMetadata: {},
  outboundTrafficPolicy: "ALLOW_ANY",
  extensionProviders: DEFAULT_PROVIDERS,
};
