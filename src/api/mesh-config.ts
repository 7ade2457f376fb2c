/**
 * MeshConfig: settings of the whole mesh.
 * Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
 */
import { checkMeshConfig } from "./check-mesh-config.ts";
import { customTags } from "./custom-tag.ts";
import type { Fields } from "./decoder.ts";
import { type ExtensionProvider, extensionProvider } from "./extension-provider.ts";
import { readGatewayTopology } from "./gateway-topology-settings.ts";
import { meshLogFormat } from "./log-format.ts";
import { MESH_CONFIG_SCHEMA } from "./mesh-config-schema.ts";
import { meshProxySchema } from "./mesh-proxy-schema.ts";
import {
  DEFAULT_MESH_SETTINGS,
  DEFAULT_PROVIDERS,
  type MeshAccessLog,
  type MeshSettings,
  type MeshTracing,
  OUTBOUND_TRAFFIC_POLICIES,
  type OutboundTrafficPolicy,
  PATH_NORMALIZATIONS,
} from "./mesh-settings.ts";
import type { Report } from "./parse-report.ts";
import { readRateLimitSettings } from "./rate-limit-settings.ts";
import { readProxyHeaders } from "./read-proxy-headers.ts";
import type { ResourceMeta } from "./resource.ts";
import { labelNameProblem } from "./resource-names.ts";
import { retryPolicy } from "./routing/read-route-parts.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { readTokenKeySettings } from "./token-key-settings.ts";
import { flagIn, numberIn, textIn, textsIn } from "./webhook/written-values.ts";

export interface MeshConfig {
  readonly kind: "MeshConfig";
  readonly meta: ResourceMeta;
  readonly settings: MeshSettings;
  /** Whether the document has our own section `hauberk`, and nothing else. */
  readonly ownSection: "absent" | "beside" | "alone";
}

/** Fields of the schema that are carried here, in part at least; the others are accepted without effect. */
const CARRIED_FIELDS: ReadonlySet<string> = new Set([
  "accessLogEncoding",
  "accessLogFile",
  "accessLogFormat",
  "defaultConfig",
  "defaultDestinationRuleExportTo",
  "defaultHttpRetryPolicy",
  "defaultProviders",
  "defaultServiceExportTo",
  "defaultVirtualServiceExportTo",
  "disableEnvoyListenerLog",
  "enableAutoMtls",
  "enableTracing",
  "extensionProviders",
  "hauberk",
  "meshMTLS",
  "outboundTrafficPolicy",
  "pathNormalization",
  "rootNamespace",
  "trustDomain",
  "trustDomainAliases",
]);
const CARRIED_PROXY_FIELDS: ReadonlySet<string> = new Set([
  "concurrency",
  "gatewayTopology",
  "proxyHeaders",
  "proxyMetadata",
  "tracing",
]);

const TLS_VERSIONS = { TLS_AUTO: "TLSv1.2", TLSV1_2: "TLSv1.2", TLSV1_3: "TLSv1.3" } as const;

/** One mesh has one configuration, wherever it was written: all forms have the same name. */
export const MESH_CONFIG_NAME = "istio";

/** Every field that a MeshConfig document may have at its top. */
export const MESH_CONFIG_FIELDS: ReadonlySet<string> = new Set(
  Object.keys(MESH_CONFIG_SCHEMA.fields),
);

/** Checks a mesh configuration as istiod does, and reads what is carried here. */
export function meshConfig(
  meta: ResourceMeta,
  { config, report }: { readonly config: Fields; readonly report: Report },
): MeshConfig {
  checkSchema(MESH_CONFIG_SCHEMA, { node: config.map, path: config.path, report });
  checkMeshConfig(config);
  const settings = readSettings(config);
  tellUnused(config);
  config.acceptAll();
  return { kind: "MeshConfig", meta, settings, ownSection: ownSectionOf(config) };
}

function ownSectionOf(config: Fields): MeshConfig["ownSection"] {
  if (!config.mentions("hauberk")) return "absent";
  return config.names().length === 1 ? "alone" : "beside";
}

function readSettings(config: Fields): MeshSettings {
  const defaults = DEFAULT_MESH_SETTINGS;
  const defaultHttpRetries = retryPolicy(config, "defaultHttpRetryPolicy");
  return {
    trustDomain: textIn(config, "trustDomain") || defaults.trustDomain,
    trustDomainAliases: textsIn(config, "trustDomainAliases"),
    rootNamespace: config.text("rootNamespace", labelNameProblem) ?? defaults.rootNamespace,
    enableAutoMtls: config.flag("enableAutoMtls", "on"),
    pathNormalization: config
      .section("pathNormalization")
      .choice("normalization", PATH_NORMALIZATIONS, defaults.pathNormalization),
    minimumTlsVersion: minimumTlsVersion(config.section("meshMTLS")),
    proxyMetadata: config.section("defaultConfig").stringMap("proxyMetadata"),
    proxyHeaders: readProxyHeaders(config.section("defaultConfig").section("proxyHeaders")),
    concurrency: concurrency(config.section("defaultConfig")),
    gatewayTopology: readGatewayTopology(
      config.section("defaultConfig").section("gatewayTopology"),
    ),
    outboundTrafficPolicy: outboundTrafficPolicy(config),
    accessLog: meshAccessLog(config),
    tracing: meshTracing(config),
    extensionProviders: extensionProviders(config),
    tokenKeys: readTokenKeySettings(config.section("hauberk")),
    rateLimits: readRateLimitSettings(config.section("hauberk")),
    ...defaultExports(config),
    ...(defaultHttpRetries && { defaultHttpRetries }),
  };
}

function defaultExports(config: Fields): Pick<MeshSettings, "defaultExportTo"> {
  const virtualServices = textsIn(config, "defaultVirtualServiceExportTo");
  const destinationRules = textsIn(config, "defaultDestinationRuleExportTo");
  const serviceEntries = textsIn(config, "defaultServiceExportTo");
  const said = [...virtualServices, ...destinationRules, ...serviceEntries];
  if (said.length === 0) return {};
  return { defaultExportTo: { virtualServices, destinationRules, serviceEntries } };
}

/** Less than nothing is taken for nothing, as by Envoy's starter. */
function concurrency(proxy: Fields): number {
  if (!proxy.has("concurrency")) return DEFAULT_MESH_SETTINGS.concurrency;
  return Math.max(0, numberIn(proxy, "concurrency"));
}

function meshAccessLog(config: Fields): MeshAccessLog {
  return {
    file: textIn(config, "accessLogFile"),
    format: meshLogFormat(config),
    providers: textsIn(config.section("defaultProviders"), "accessLogging"),
    refusals: flagIn(config, "disableEnvoyListenerLog") ? "left out" : "logged",
  };
}

const LEGACY_TRACERS = ["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"];

/** Where only `enableTracing` asks for spans, Envoy's tracers of old would send them, which sidecars do not have. */
function meshTracing(config: Fields): MeshTracing {
  const defaults = DEFAULT_MESH_SETTINGS.tracing;
  const providers = textsIn(config.section("defaultProviders"), "tracing");
  const proxy = config.section("defaultConfig").section("tracing");
  proxy.unused([...LEGACY_TRACERS, "tlsSettings", "enableIstioTags"]);
  if (flagIn(config, "enableTracing") && providers.length === 0) {
    config.notice(
      "enableTracing",
      "has no effect by itself: spans are sent to providers of kind opentelemetry that defaultProviders.tracing or a Telemetry names",
    );
  }
  return {
    providers,
    samplingPercentage: samplingPercentage(numberIn(proxy, "sampling")),
    customTags: customTags(proxy.section("customTags")),
    maxPathTagLength: numberIn(proxy, "maxPathTagLength") || defaults.maxPathTagLength,
  };
}

/** As Istio, which takes what is no percentage for its default. */
function samplingPercentage(written: number): number {
  return written > 0 && written <= 100 ? written : DEFAULT_MESH_SETTINGS.tracing.samplingPercentage;
}

/** Those written replace those of the same name that Istio has by default. */
function extensionProviders(config: Fields): readonly ExtensionProvider[] {
  const written = config.list("extensionProviders").flatMap((fields) => {
    const provider = extensionProvider(fields);
    return provider === undefined ? [] : [provider];
  });
  const names = new Set(written.map(({ name }) => name));
  return [...DEFAULT_PROVIDERS.filter(({ name }) => !names.has(name)), ...written];
}

function minimumTlsVersion(tls: Fields): MeshSettings["minimumTlsVersion"] {
  const names = ["TLS_AUTO", "TLSV1_2", "TLSV1_3"] as const;
  return TLS_VERSIONS[tls.choice("minProtocolVersion", names, "TLS_AUTO")];
}

/** A policy that is given without a mode is the first of protobuf's list, not the default of the mesh. */
function outboundTrafficPolicy(config: Fields): OutboundTrafficPolicy {
  if (!config.has("outboundTrafficPolicy")) return DEFAULT_MESH_SETTINGS.outboundTrafficPolicy;
  const policy = config.section("outboundTrafficPolicy");
  const mode = textIn(policy, "mode");
  if (mode === "ALLOW_ANY_DYNAMIC_DNS") policy.report("mode", `not supported yet: ${mode}`);
  return OUTBOUND_TRAFFIC_POLICIES.find((known) => known === mode) ?? "REGISTRY_ONLY";
}

function tellUnused(config: Fields): void {
  const proxy = config.section("defaultConfig");
  config.unused([...MESH_CONFIG_FIELDS].filter((name) => !CARRIED_FIELDS.has(name)));
  proxy.unused(
    Object.keys(meshProxySchema.fields).filter((name) => !CARRIED_PROXY_FIELDS.has(name)),
  );
  config.section("defaultProviders").unused(["metrics"]);
  config.section("meshMTLS").unused(["cipherSuites", "ecdhCurves"]);
  config.section("outboundTrafficPolicy").unused(["tls"]);
}
