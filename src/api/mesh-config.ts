/**
 * MeshConfig: settings of the whole mesh.
 * Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
 */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import type { ResourceMeta } from "./resource.ts";
import { labelNameProblem } from "./resource-names.ts";

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

export interface MeshConfig {
  readonly kind: "MeshConfig";
  readonly meta: ResourceMeta;
  readonly settings: MeshSettings;
}

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
}

export const DEFAULT_MESH_SETTINGS: MeshSettings = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootNamespace: "istio-system",
  enableAutoMtls: true,
  pathNormalization: "DEFAULT",
  minimumTlsVersion: "TLSv1.2",
  proxyMetadata: {},
  outboundTrafficPolicy: "ALLOW_ANY",
};

/** Fields of MeshConfig that have no effect here yet: with those read below, the complete list of istio/api. */
const UNUSED_FIELDS = [
  "accessLogEncoding",
  "accessLogFile",
  "accessLogFormat",
  "ca",
  "caCertificates",
  "certificates",
  "configSources",
  "connectTimeout",
  "defaultDestinationRuleExportTo",
  "defaultHttpRetryPolicy",
  "defaultProviders",
  "defaultServiceExportTo",
  "defaultTrafficPolicy",
  "defaultVirtualServiceExportTo",
  "disableEnvoyListenerLog",
  "discoverySelectors",
  "dnsRefreshRate",
  "enableEnvoyAccessLogService",
  "enablePrometheusMerge",
  "enableTracing",
  "extensionProviders",
  "h2UpgradePolicy",
  "hboneIdleTimeout",
  "inboundClusterStatName",
  "inboundTrafficPolicy",
  "ingressClass",
  "ingressControllerMode",
  "ingressSelector",
  "ingressService",
  "localityLbSetting",
  "outboundClusterStatName",
  "protocolDetectionTimeout",
  "proxyHttpPort",
  "proxyInboundListenPort",
  "proxyListenPort",
  "serviceEntryVisibility",
  "serviceScopeConfigs",
  "serviceSettings",
  "tcpKeepalive",
  "tlsDefaults",
  "verifyCertificateAtClient",
  "zoneAwareLbSetting",
];

/** Fields of ProxyConfig (`defaultConfig`) that have no effect here yet. */
const UNUSED_PROXY_FIELDS = [
  "availabilityZone",
  "binaryPath",
  "caCertificatesPem",
  "concurrency",
  "configPath",
  "connectionSettings",
  "controlPlaneAuthPolicy",
  "customConfigFile",
  "discoveryAddress",
  "discoveryRefreshDelay",
  "drainDuration",
  "envoyAccessLogService",
  "envoyMetricsService",
  "envoyMetricsServiceAddress",
  "extraStatTags",
  "fileFlushInterval",
  "fileFlushMinSizeKb",
  "gatewayTopology",
  "holdApplicationUntilProxyStarts",
  "image",
  "interceptionMode",
  "meshId",
  "privateKeyProvider",
  "proxyAdminPort",
  "proxyBootstrapTemplatePath",
  "proxyHeaders",
  "proxyStatsMatcher",
  "readinessProbe",
  "runtimeValues",
  "sds",
  "serviceCluster",
  "statNameLength",
  "statsCompression",
  "statsdUdpAddress",
  "statusPort",
  "terminationDrainDuration",
  "tracing",
  "tracingServiceName",
  "zipkinAddress",
];

const TLS_VERSIONS = { TLS_AUTO: "TLSv1.2", TLSV1_2: "TLSv1.2", TLSV1_3: "TLSv1.3" } as const;

/** SPIFFE ID standard, section 2.1 */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;

/** One mesh has one configuration, wherever it was written: all forms have the same name. */
export const MESH_CONFIG_NAME = "istio";

/** Every field that a MeshConfig document may have at its top. */
export const MESH_CONFIG_FIELDS: ReadonlySet<string> = new Set([
  ...UNUSED_FIELDS,
  "defaultConfig",
  "enableAutoMtls",
  "meshMTLS",
  "outboundTrafficPolicy",
  "pathNormalization",
  "rootNamespace",
  "trustDomain",
  "trustDomainAliases",
]);

export function meshConfig(meta: ResourceMeta, config: Fields): MeshConfig {
  config.unused(UNUSED_FIELDS);
  const proxy = config.section("defaultConfig");
  proxy.unused(UNUSED_PROXY_FIELDS);
  const defaults = DEFAULT_MESH_SETTINGS;
  const settings: MeshSettings = {
    trustDomain: config.text("trustDomain", trustDomainProblem) ?? defaults.trustDomain,
    trustDomainAliases: config.texts("trustDomainAliases", trustDomainProblem),
    rootNamespace: config.text("rootNamespace", labelNameProblem) ?? defaults.rootNamespace,
    enableAutoMtls: config.flag("enableAutoMtls", "on"),
    pathNormalization: config
      .section("pathNormalization")
      .choice("normalization", PATH_NORMALIZATIONS, defaults.pathNormalization),
    minimumTlsVersion: minimumTlsVersion(config.section("meshMTLS")),
    proxyMetadata: proxy.stringMap("proxyMetadata"),
    outboundTrafficPolicy: outboundTrafficPolicy(config.section("outboundTrafficPolicy")),
  };
  return { kind: "MeshConfig", meta, settings };
}

function minimumTlsVersion(tls: Fields): MeshSettings["minimumTlsVersion"] {
  tls.unused(["cipherSuites", "ecdhCurves"]);
  const names = ["TLS_AUTO", "TLSV1_2", "TLSV1_3"] as const;
  return TLS_VERSIONS[tls.choice("minProtocolVersion", names, "TLS_AUTO")];
}

function outboundTrafficPolicy(policy: Fields): OutboundTrafficPolicy {
  policy.unused(["egressProxy"]);
  const { outboundTrafficPolicy: fallback } = DEFAULT_MESH_SETTINGS;
  return policy.choice("mode", OUTBOUND_TRAFFIC_POLICIES, fallback);
}

function trustDomainProblem(text: string): string | undefined {
  if (TRUST_DOMAIN.test(text)) return undefined;
  return `${quoted(text)} is not a trust domain: 1 to 255 lower case letters, digits, ".", "-" and "_"`;
}
