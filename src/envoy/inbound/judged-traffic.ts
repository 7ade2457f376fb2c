/**
 * What requests and connections go through that are judged here, at a sidecar's ports and at a gateway: filters in Istio's
 * order (AP-2, AP-5), and what the connection manager is told for them.
 */
import { DEFAULT_PROXY_HEADERS } from "../../api/proxy-headers.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { type ExtensionConfig, type NetworkFilter, typeUrl } from "../envoy-json.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { accessLogs } from "./access-logs.ts";
import { connectionLimitFilters } from "./connection-limit-filters.ts";
import { externalAuthorizationFilters } from "./external-authorization-filters.ts";
import { forwardedClientCert } from "./forwarded-client-cert.ts";
import type { AuthorizeChain, JudgedChain } from "./judged-chain.ts";
import { PATH_NORMALIZATION } from "./path-normalization.ts";
import { requestLimitFilters } from "./request-limit-filters.ts";
import { tokenFilters, tokenHeaders } from "./token-filter.ts";
import { tracingTerms } from "./tracing.ts";

export interface Judging {
  readonly chain: JudgedChain;
  readonly authorize: AuthorizeChain;
}

export interface JudgedHttp {
  /** Before the router. */
  readonly httpFilters: readonly NetworkFilter[];
  /** Of the connection manager. */
  readonly terms: Readonly<Record<string, unknown>>;
  /** Before the connection manager. */
  readonly connectionFilters: readonly NetworkFilter[];
  readonly extensionConfigs: readonly ExtensionConfig[];
  readonly fingerprint: string;
}

export interface JudgedTcp {
  /** Before the TCP proxy. */
  readonly filters: readonly NetworkFilter[];
  /** Of the TCP proxy. */
  readonly terms: Readonly<Record<string, unknown>>;
  readonly extensionConfigs: readonly ExtensionConfig[];
  readonly fingerprint: string;
}

export function judgedHttp(
  view: WorkloadView,
  settings: ProxySettings,
  { chain, authorize }: Judging,
): JudgedHttp {
  const { filters, extensionConfigs, fingerprint, form } = authorize(chain);
  const { tokenRules, rateLimits = [] } = view.inbound;
  return {
    httpFilters: [
      ...withoutClientsWord(tokenHeaders(tokenRules)),
      ...externalAuthorizationFilters(view, settings, { ...chain, form }),
      ...tokenFilters(tokenRules, view.gateway === undefined ? "fixed" : "chosen by claims"),
      ...filters,
      ...requestLimitFilters(view, settings),
      WITHOUT_DISGUISED,
    ],
    terms: httpTerms(view, settings, chain),
    connectionFilters: connectionLimitFilters(rateLimits),
    extensionConfigs,
    fingerprint,
  };
}

export function judgedTcp(
  view: WorkloadView,
  settings: ProxySettings,
  { chain, authorize }: Judging,
): JudgedTcp {
  const { filters, extensionConfigs, fingerprint, form } = authorize(chain);
  const judging = [
    ...connectionLimitFilters(view.inbound.rateLimits ?? []),
    ...externalAuthorizationFilters(view, settings, { ...chain, form }),
    ...filters,
  ];
  return {
    filters: judging,
    terms: accessLogs(view.telemetry?.inbound),
    extensionConfigs,
    fingerprint,
  };
}

/** Seconds; a head that comes octet by octet is not waited for longer. */
const HEAD_TIMEOUT_S = 60;
/** Seconds without an octet either way: what nobody will ever answer is not kept for ever. */
const SILENCE_S = 3_600;
/** As our own sidecars take of another sidecar. */
const MAX_FIELDS = 128;
const MAX_HEAD_KB = 64;

function httpTerms(
  view: WorkloadView,
  { connectionAgeSeconds }: ProxySettings,
  { transport }: JudgedChain,
): Readonly<Record<string, unknown>> {
  const headers = view.proxyHeaders ?? DEFAULT_PROXY_HEADERS;
  const isBounded = transport === "mesh-tls" && connectionAgeSeconds !== undefined;
  return {
    ...PATH_NORMALIZATION[view.inbound.pathNormalization],
    ...forwardedClientCert(headers),
    // Whoever forwards a request says for whom; the last one counts (AP-51a).
    useRemoteAddress: false,
    generateRequestId: headers.requestId === "generated",
    serverHeaderTransformation: "PASS_THROUGH",
    upgradeConfigs: [{ upgradeType: "websocket" }],
    // Whatever name a method has, policies are asked about it.
    httpProtocolOptions: { acceptHttp10: true, allowCustomMethods: true },
    maxRequestHeadersKb: MAX_HEAD_KB,
    requestHeadersTimeout: `${HEAD_TIMEOUT_S}s`,
    streamIdleTimeout: `${SILENCE_S}s`,
    commonHttpProtocolOptions: {
      maxHeadersCount: MAX_FIELDS,
      ...(isBounded && { maxConnectionDuration: `${connectionAgeSeconds}s` }),
    },
    // A connection of HTTP/1 ends with an answer, too, and not in the middle of one.
    ...(isBounded && { http1SafeMaxConnectionDuration: true }),
    ...accessLogs(view.telemetry?.inbound),
    ...tracingTerms(view, "inbound"),
  };
}

const HEADER_MUTATION = "envoy.filters.http.header_mutation";

function headerMutation(requestMutations: readonly object[]): NetworkFilter {
  return {
    name: HEADER_MUTATION,
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"),
      mutations: { requestMutations },
    },
  };
}

/** JWT-74, for requests too whose tokens nobody looks at (JWT-22). */
function withoutClientsWord(headers: readonly string[]): readonly NetworkFilter[] {
  return headers.length === 0 ? [] : [headerMutation(headers.map((name) => ({ remove: name })))];
}

/**
 * Applications that read fields as a CGI does take `X_Forwarded_Client_Cert` for `X-Forwarded-Client-Cert`: what is judged
 * stays as it came, and such names do not go on.
 */
const WITHOUT_DISGUISED: NetworkFilter = headerMutation([
  {
    removeOnMatch: {
      keyMatcher: {
        safeRegex: {
          regex: "x(?:_(?:forwarded|envoy)[_-].*|-(?:forwarded|envoy)(?:_.*|-[^_]*_.*))",
        },
      },
    },
  },
]);
