/** `extensionProviders` of the mesh configuration: who CUSTOM policies ask, and who is told of requests (EA-1..EA-15). */
import type { Fields } from "./decoder.ts";
import {
  EXTENSION_PROVIDER_KINDS,
  type ExtensionProviderKind,
} from "./extension-provider-schema.ts";
import { logFormat } from "./log-format.ts";
import type { LogFormat } from "./mesh-settings.ts";
import { type OpenTelemetryCollector, openTelemetryCollector } from "./span-collector.ts";
import { parseDuration } from "./webhook/duration.ts";
import {
  flagIn,
  isGiven,
  numberIn,
  textIn,
  textPairsIn,
  textsIn,
} from "./webhook/written-values.ts";

export type ExtensionProvider =
  | ExternalAuthorizer
  | FileAccessLog
  | OpenTelemetryCollector
  | OtherProvider;

/** Kinds that authorize nothing: kept by name, so that a policy that names one is told apart from one that names none. */
export interface OtherProvider {
  readonly name: string;
  /** Where it is said, from 1; absent of Istio's own, which are there unsaid. */
  readonly line?: number;
  readonly kind: Exclude<
    ExtensionProviderKind,
    (ExternalAuthorizer | FileAccessLog | OpenTelemetryCollector)["kind"]
  >;
}

/** Writes access logs into a file. */
export interface FileAccessLog {
  readonly name: string;
  readonly kind: "envoyFileAccessLog";
  readonly path: string;
  /** Absent: as the mesh configuration says, for the provider called "envoy"; else Istio's own text. */
  readonly format?: LogFormat;
}

export type ExternalAuthorizer = HttpAuthorizer | GrpcAuthorizer;

interface Authorizer {
  readonly name: string;
  /** Where it is said, from 1. */
  readonly line: number;
  /** `[NAMESPACE/]HOST` (EA-1) */
  readonly service: string;
  readonly port: number;
  /** EA-3 */
  readonly timeoutMs: number;
  /** Whether a request passes when the authorizer cannot be asked (EA-4). */
  readonly failOpen: boolean;
  /** Status that the caller then sees (EA-5). */
  readonly statusOnError: number;
  /** Istio does not heed it (EA-6). */
  readonly clearRouteCache: boolean;
  /** Absent: the body is not sent. */
  readonly requestBody?: RequestBodyInCheck;
}

/** EA-7..EA-9 */
export interface RequestBodyInCheck {
  readonly maxBytes: number;
  /** Whether the first bytes of a body that is longer are sent, rather than the request refused. */
  readonly allowPartial: boolean;
  readonly packAsBytes: boolean;
}

export interface GrpcAuthorizer extends Authorizer {
  readonly kind: "envoyExtAuthzGrpc";
}

/** Names of headers may begin or end with `*`; letter case does not matter. */
export interface HttpAuthorizer extends Authorizer {
  readonly kind: "envoyExtAuthzHttp";
  /** EA-10 */
  readonly pathPrefix: string;
  /** Besides those that are always sent (EA-11, EA-16). */
  readonly requestHeaders: readonly string[];
  /** EA-12 */
  readonly additionalHeaders: Readonly<Record<string, string>>;
  /** EA-13 */
  readonly headersToUpstreamOnAllow: readonly string[];
  /** Empty: all of them (EA-14). */
  readonly headersToDownstreamOnDeny: readonly string[];
  /** EA-15 */
  readonly headersToDownstreamOnAllow: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_STATUS_ON_ERROR = 403;
const NANOSECONDS_PER_MS = 1e6;

/** Reads one provider in which nothing is wrong; undefined for one of no known kind. */
export function extensionProvider(fields: Fields): ExtensionProvider | undefined {
  const kind = EXTENSION_PROVIDER_KINDS.find((name) => fields.has(name));
  if (kind === undefined) return undefined;
  const name = textIn(fields, "name");
  if (kind === "envoyExtAuthzGrpc") return { kind, ...authorizer(fields.section(kind), name) };
  if (kind === "envoyExtAuthzHttp") return httpAuthorizer(fields.section(kind), name);
  if (kind === "envoyFileAccessLog") return { kind, name, ...fileAccessLog(fields.section(kind)) };
  if (kind === "opentelemetry") return openTelemetryCollector(fields.section(kind), name);
  return { kind, name, line: fields.section(kind).line };
}

function fileAccessLog(fields: Fields): Pick<FileAccessLog, "path" | "format"> {
  const path = textIn(fields, "path") || "/dev/stdout";
  const omitEmpty = flagIn(fields, "omitEmptyValues");
  const format = fields.section("logFormat");
  const given = isGiven(fields, "logFormat") || omitEmpty;
  return given ? { path, format: logFormat(format, omitEmpty ? "left out" : "written") } : { path };
}

/** Whether CUSTOM policies can name it (AP-120). */
export function isExternalAuthorizer(provider: ExtensionProvider): provider is ExternalAuthorizer {
  return provider.kind === "envoyExtAuthzHttp" || provider.kind === "envoyExtAuthzGrpc";
}

function httpAuthorizer(fields: Fields, name: string): HttpAuthorizer {
  const requestHeaders = textsIn(fields, "includeRequestHeadersInCheck");
  return {
    kind: "envoyExtAuthzHttp",
    ...authorizer(fields, name),
    pathPrefix: textIn(fields, "pathPrefix"),
    requestHeaders:
      requestHeaders.length > 0 ? requestHeaders : textsIn(fields, "includeHeadersInCheck"),
    additionalHeaders: Object.fromEntries(textPairsIn(fields, "includeAdditionalHeadersInCheck")),
    headersToUpstreamOnAllow: textsIn(fields, "headersToUpstreamOnAllow"),
    headersToDownstreamOnDeny: textsIn(fields, "headersToDownstreamOnDeny"),
    headersToDownstreamOnAllow: textsIn(fields, "headersToDownstreamOnAllow"),
  };
}

function authorizer(fields: Fields, name: string): Authorizer {
  const timeout = parseDuration(textIn(fields, "timeout"));
  const body = fields.section("includeRequestBodyInCheck");
  const requestBody: RequestBodyInCheck = {
    maxBytes: numberIn(body, "maxRequestBytes"),
    allowPartial: flagIn(body, "allowPartialMessage"),
    packAsBytes: flagIn(body, "packAsBytes"),
  };
  return {
    name,
    line: fields.line,
    service: textIn(fields, "service"),
    port: numberIn(fields, "port"),
    timeoutMs: timeout === undefined ? DEFAULT_TIMEOUT_MS : timeout / NANOSECONDS_PER_MS,
    failOpen: flagIn(fields, "failOpen"),
    statusOnError: Number(textIn(fields, "statusOnError")) || DEFAULT_STATUS_ON_ERROR,
    clearRouteCache: flagIn(fields, "clearRouteCache"),
    ...(isGiven(fields, "includeRequestBodyInCheck") ? { requestBody } : {}),
  };
}
