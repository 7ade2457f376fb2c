/**
 * The structure of a MeshConfig: every field and its type. A field that is null is as good as absent here.
 * Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
 */
import { extensionProviderSchema } from "./extension-provider-schema.ts";
import { meshProxySchema } from "./mesh-proxy-schema.ts";
import { anyDuration } from "./schema/duration.ts";
import { connectionPool } from "./schema/parts/connection-pool.ts";
import { httpRetries } from "./schema/parts/http-route.ts";
import { localityLbSetting, zoneAwareLbSetting } from "./schema/parts/load-balancer.ts";
import { clientTls } from "./schema/parts/tls-settings.ts";
import { outlierDetection } from "./schema/parts/traffic-policy.ts";
import {
  choice,
  flag,
  int32,
  list,
  mapOf,
  type ObjectSchema,
  object,
  type Schema,
  text,
  uint32,
} from "./schema/schema.ts";
import { OWN_SETTINGS_SCHEMA } from "./token-key-settings.ts";

const labelSelector = object({
  matchLabels: mapOf(text()),
  matchExpressions: list(object({ key: text(), operator: text(), values: list(text()) })),
});

const tlsConfig = object({
  minProtocolVersion: choice(["TLS_AUTO", "TLSV1_2", "TLSV1_3"]),
  ecdhCurves: list(text()),
  cipherSuites: list(text()),
});

const certificateAuthority = object({
  address: text(),
  tlsSettings: clientTls,
  requestTimeout: anyDuration,
  istiodSide: flag(),
});

const trustedCertificate = object(
  {
    pem: text(),
    spiffeBundleUrl: text(),
    certSigners: list(text()),
    trustDomains: list(text()),
  },
  { atMostOneOf: [["pem", "spiffeBundleUrl"]] },
);

const visibility = choice(["VISIBILITY_UNSPECIFIED", "NONE", "NAMESPACE", "PUBLIC"]);
const serviceEntryVisibility = object({
  defaultVisibility: visibility,
  applyToSidecars: flag(),
  policies: list(
    object({ visibility, matchingRules: list(object({ namespaceSelector: labelSelector })) }),
  ),
});

const traffic = {
  connectTimeout: anyDuration,
  defaultHttpRetryPolicy: httpRetries,
  defaultInboundHttpRetryPolicy: httpRetries,
  defaultTrafficPolicy: object({ connectionPool, outlierDetection }),
  dnsRefreshRate: anyDuration,
  h2UpgradePolicy: choice(["DO_NOT_UPGRADE", "UPGRADE"]),
  hboneIdleTimeout: anyDuration,
  inboundTrafficPolicy: object({ mode: choice(["PASSTHROUGH", "LOCALHOST"]) }),
  localityLbSetting,
  outboundTrafficPolicy: object({
    mode: choice(["REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS"]),
    tls: clientTls,
  }),
  pathNormalization: object({
    normalization: choice(["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
  }),
  protocolDetectionTimeout: anyDuration,
  tcpKeepalive: object({ probes: uint32(), time: anyDuration, interval: anyDuration }),
  zoneAwareLbSetting,
};

const scope = {
  defaultDestinationRuleExportTo: list(text()),
  defaultServiceExportTo: list(text()),
  defaultVirtualServiceExportTo: list(text()),
  discoverySelectors: list(labelSelector),
  serviceEntryVisibility,
  serviceScopeConfigs: list(
    object({
      namespaceSelector: labelSelector,
      servicesSelector: labelSelector,
      scope: choice(["LOCAL", "GLOBAL"]),
    }),
  ),
  serviceSettings: list(
    object({ settings: object({ clusterLocal: flag() }), hosts: list(text()) }),
  ),
};

const identity = {
  ca: certificateAuthority,
  caCertificates: list(trustedCertificate),
  certificates: list(object({ secretName: text(), dnsNames: list(text()) })),
  enableAutoMtls: flag(),
  meshMTLS: tlsConfig,
  rootNamespace: text(),
  tlsDefaults: tlsConfig,
  trustDomain: text(),
  trustDomainAliases: list(text()),
  verifyCertificateAtClient: flag(),
};

const observation = {
  accessLogEncoding: choice(["TEXT", "JSON"]),
  accessLogFile: text(),
  accessLogFormat: text(),
  defaultProviders: object({
    tracing: list(text()),
    metrics: list(text()),
    accessLogging: list(text()),
  }),
  disableEnvoyListenerLog: flag(),
  enableEnvoyAccessLogService: flag(),
  enablePrometheusMerge: flag(),
  enableTracing: flag(),
  extensionProviders: list(extensionProviderSchema),
  inboundClusterStatName: text(),
  outboundClusterStatName: text(),
};

const operation = {
  configSources: list(
    object({
      address: text(),
      tlsSettings: clientTls,
      subscribedResources: list(choice(["SERVICE_REGISTRY"])),
    }),
  ),
  defaultConfig: meshProxySchema,
  hauberk: OWN_SETTINGS_SCHEMA,
  ingressClass: text(),
  ingressControllerMode: choice(["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"]),
  ingressSelector: text(),
  ingressService: text(),
  proxyHttpPort: int32(),
  proxyInboundListenPort: int32(),
  proxyListenPort: int32(),
};

export const MESH_CONFIG_SCHEMA: ObjectSchema = withNulls(
  object({ ...identity, ...observation, ...operation, ...scope, ...traffic }),
);

/** Protobuf's JSON takes null for "not given", everywhere but in lists and maps. */
function withNulls(schema: ObjectSchema): ObjectSchema {
  const fields = Object.entries(schema.fields).map(
    ([name, field]) => [name, { ...insideWithNulls(field), nullable: true }] as const,
  );
  return { ...schema, fields: Object.fromEntries(fields) };
}

function insideWithNulls(schema: Schema): Schema {
  if (schema.type === "object") return withNulls(schema);
  if (schema.type === "list") return { ...schema, item: insideWithNulls(schema.item) };
  return schema.type === "map" ? { ...schema, value: insideWithNulls(schema.value) } : schema;
}
