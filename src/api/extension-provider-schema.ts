/**
 * The structure of `extensionProviders`: services beside the mesh that are asked, or told, of requests.
 * Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider
 */
import {
  anyMap,
  choice,
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

const server = { service: text(), port: uint32() };
const maxTagLength = uint32();

const httpHeader = object(
  { name: text(), value: text(), envName: text() },
  { atMostOneOf: [["value", "envName"]] },
);
const httpService = object({ path: text(), timeout: text(), headers: list(httpHeader) });

const authorization = {
  ...server,
  timeout: text(),
  failOpen: flag(),
  clearRouteCache: flag(),
  statusOnError: text(),
  includeRequestBodyInCheck: object({
    maxRequestBytes: uint32(),
    allowPartialMessage: flag(),
    packAsBytes: flag(),
  }),
};

const tracing = {
  zipkin: object({
    ...server,
    maxTagLength,
    enable64bitTraceId: flag(),
    path: text(),
    traceContextOption: choice(["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"]),
    timeout: text(),
    headers: list(httpHeader),
  }),
  lightstep: object({ ...server, accessToken: text(), maxTagLength }),
  datadog: object({ ...server, maxTagLength }),
  opencensus: object({
    ...server,
    context: list(
      choice(["UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3"]),
    ),
    maxTagLength,
  }),
  skywalking: object({ ...server, accessToken: text() }),
  opentelemetry: object({
    ...server,
    maxTagLength,
    http: httpService,
    grpc: object({ timeout: text(), initialMetadata: list(httpHeader) }),
    resourceDetectors: object({ environment: object({}), dynatrace: object({}) }),
    serviceAttributeEnrichment: choice(["ISTIO_CANONICAL", "OTEL_SEMANTIC_CONVENTIONS"]),
    dynatraceSampler: object({
      tenant: text(),
      clusterId: int32(),
      rootSpansPerMinute: uint32(),
      httpService: object({ ...server, http: httpService }),
    }),
  }),
};

const logFormat = object({ text: text(), labels: anyMap }, { atMostOneOf: [["text", "labels"]] });
const logging = {
  envoyFileAccessLog: object({ path: text(), logFormat, omitEmptyValues: flag() }),
  envoyHttpAls: object({
    ...server,
    logName: text(),
    filterStateObjectsToLog: list(text()),
    additionalRequestHeadersToLog: list(text()),
    additionalResponseHeadersToLog: list(text()),
    additionalResponseTrailersToLog: list(text()),
  }),
  envoyTcpAls: object({ ...server, logName: text(), filterStateObjectsToLog: list(text()) }),
  envoyOtelAls: object({
    ...server,
    logName: text(),
    logFormat: object({ text: text(), labels: anyMap }),
  }),
};

export const EXTENSION_PROVIDER_KINDS = [
  "envoyExtAuthzHttp",
  "envoyExtAuthzGrpc",
  "zipkin",
  "lightstep",
  "datadog",
  "opencensus",
  "skywalking",
  "opentelemetry",
  "envoyFileAccessLog",
  "envoyHttpAls",
  "envoyTcpAls",
  "envoyOtelAls",
  "stackdriver",
  "prometheus",
  "sds",
] as const;
export type ExtensionProviderKind = (typeof EXTENSION_PROVIDER_KINDS)[number];

const kinds: Readonly<Record<ExtensionProviderKind, ObjectSchema>> = {
  envoyExtAuthzHttp: object({
    ...authorization,
    pathPrefix: text(),
    includeHeadersInCheck: list(text()),
    includeRequestHeadersInCheck: list(text()),
    includeAdditionalHeadersInCheck: mapOf(text()),
    headersToUpstreamOnAllow: list(text()),
    headersToDownstreamOnDeny: list(text()),
    headersToDownstreamOnAllow: list(text()),
  }),
  envoyExtAuthzGrpc: object(authorization),
  ...tracing,
  ...logging,
  stackdriver: object({
    debug: flag(),
    maxNumberOfAttributes: integer(),
    maxNumberOfAnnotations: integer(),
    maxNumberOfMessageEvents: integer(),
    maxTagLength,
    logging: object({ labels: mapOf(text()) }),
  }),
  prometheus: object({}),
  sds: object({ name: text(), ...server }),
};

export const extensionProviderSchema: ObjectSchema = object(
  { name: text(), ...kinds },
  { atMostOneOf: [EXTENSION_PROVIDER_KINDS] },
);
