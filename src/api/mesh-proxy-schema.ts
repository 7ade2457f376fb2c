/**
 * The structure of a mesh's `defaultConfig`: what each sidecar is started with.
 * Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig
 */
import { anyDuration } from "./schema/duration.ts";
import { tcpPool } from "./schema/parts/connection-pool.ts";
import { clientTls } from "./schema/parts/tls-settings.ts";
import {
  anyMap,
  choice,
  double,
  flag,
  int32,
  integer,
  list,
  mapOf,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "./schema/schema.ts";

const forwardClientCertificate = choice([
  "UNDEFINED",
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
]);

const customTag = object(
  {
    literal: object({ value: text() }),
    environment: object({ name: text(), defaultValue: text() }),
    header: object({ name: text(), defaultValue: text() }),
  },
  { atMostOneOf: [["literal", "environment", "header"]] },
);

const tracing = object(
  {
    zipkin: object({ address: text() }),
    lightstep: object({ address: text(), accessToken: text() }),
    datadog: object({ address: text() }),
    stackdriver: object({
      debug: flag(),
      maxNumberOfAttributes: integer(),
      maxNumberOfAnnotations: integer(),
      maxNumberOfMessageEvents: integer(),
    }),
    openCensusAgent: object({
      address: text(),
      context: list(
        choice(["UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3"]),
      ),
    }),
    customTags: mapOf(customTag),
    maxPathTagLength: uint32(),
    sampling: double(),
    tlsSettings: clientTls,
    enableIstioTags: flag(),
  },
  { atMostOneOf: [["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"]] },
);

const remoteService = object({
  address: text(),
  tlsSettings: clientTls,
  tcpKeepalive: tcpPool.fields["tcpKeepalive"] ?? anyMap,
});

const disabled = object({ disabled: flag() });
const enabled = object({ enabled: flag() });
const proxyHeaders = object({
  forwardedClientCert: forwardClientCertificate,
  setCurrentClientCertDetails: object({
    subject: flag(),
    cert: flag(),
    chain: flag(),
    dns: flag(),
    uri: flag(),
  }),
  requestId: disabled,
  server: object({ disabled: flag(), value: text() }),
  attemptCount: disabled,
  envoyDebugHeaders: disabled,
  metadataExchangeHeaders: object({ mode: choice(["UNDEFINED", "IN_MESH"]) }),
  preserveHttp1HeaderCase: flag(),
  xForwardedHost: enabled,
  xForwardedPort: enabled,
});

const offload = object({ pollDelay: anyDuration, fallback: flag() });

const connectionSettings = object({
  profile: choice(["SIDECAR", "EDGE"]),
  listenerPerConnectionBufferLimitBytes: int32(),
  clusterPerConnectionBufferLimitBytes: int32(),
  httpIdleTimeout: anyDuration,
  httpMaxConnectionDuration: anyDuration,
  httpDrainTimeout: anyDuration,
  httpRequestTimeout: anyDuration,
  httpRequestHeadersTimeout: anyDuration,
  httpStreamIdleTimeout: anyDuration,
  httpMaxStreamDuration: anyDuration,
  httpMaxConcurrentStreams: int32(),
  http2InitialStreamWindowSize: int32(),
  http2InitialConnectionWindowSize: int32(),
  httpHeadersWithUnderscoresAction: choice([
    "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
    "HEADERS_WITH_UNDERSCORES_ALLOW",
    "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
    "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
  ]),
  httpMergeSlashes: flag(),
  httpPathWithEscapedSlashesAction: choice([
    "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
    "KEEP_UNCHANGED",
    "REJECT_REQUEST",
    "UNESCAPE_AND_REDIRECT",
    "UNESCAPE_AND_FORWARD",
  ]),
  listenerConnectionLimit: int32(),
  globalDownstreamConnectionLimit: int32(),
});

export const meshProxySchema: ObjectSchema = object(
  {
    availabilityZone: text(),
    binaryPath: text(),
    caCertificatesPem: list(text()),
    concurrency: int32(),
    configPath: text(),
    connectionSettings,
    controlPlaneAuthPolicy: choice(["NONE", "MUTUAL_TLS", "INHERIT"]),
    customConfigFile: text(),
    discoveryAddress: text(),
    discoveryRefreshDelay: anyDuration,
    drainDuration: anyDuration,
    envoyAccessLogService: remoteService,
    envoyMetricsService: remoteService,
    envoyMetricsServiceAddress: text(),
    extraStatTags: list(text()),
    fileFlushInterval: text(),
    fileFlushMinSizeKb: uint32(),
    gatewayTopology: object({
      numTrustedProxies: uint32(),
      forwardClientCertDetails: forwardClientCertificate,
      proxyProtocol: object({}),
    }),
    holdApplicationUntilProxyStarts: flag(),
    image: object({ imageType: text() }),
    interceptionMode: choice(["REDIRECT", "TPROXY", "NONE"]),
    meshId: text(),
    privateKeyProvider: object(
      { cryptomb: offload, qat: offload },
      { atMostOneOf: [["cryptomb", "qat"]] },
    ),
    proxyAdminPort: int32(),
    proxyBootstrapTemplatePath: text(),
    proxyHeaders,
    proxyMetadata: mapOf(text()),
    proxyStatsMatcher: object({
      inclusionPrefixes: list(text()),
      inclusionSuffixes: list(text()),
      inclusionRegexps: list(text()),
    }),
    readinessProbe: anyMap,
    runtimeValues: mapOf(text()),
    sds: object({ enabled: flag(), k8sSaJwtPath: text() }),
    serviceCluster: text(),
    statNameLength: int32(),
    statsCompression: flag(),
    statsdUdpAddress: text(),
    statusPort: int32(),
    terminationDrainDuration: anyDuration,
    tracing,
    tracingServiceName: choice([
      "APP_LABEL_AND_NAMESPACE",
      "CANONICAL_NAME_ONLY",
      "CANONICAL_NAME_AND_NAMESPACE",
    ]),
    zipkinAddress: text(),
  },
  { atMostOneOf: [["serviceCluster", "tracingServiceName"]] },
);
