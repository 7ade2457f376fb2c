/** What speaks HTTP with the application, and is told its routes. */
import { DEFAULT_PROXY_HEADERS } from "../../api/proxy-headers.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { type NetworkFilter, type RouteConfiguration, typeUrl } from "../envoy-json.ts";
import { accessLogs } from "../inbound/access-logs.ts";
import { tracingTerms } from "../inbound/tracing.ts";
import { connectionManager } from "../network-filters.ts";
import { PROTOCOL_FILTER, UNTOLD_PROTOCOL } from "../routes/called-clusters.ts";
import { CORS, FAULT } from "../routes/route-policies.ts";

export type Caller = Pick<WorkloadView, "outbound" | "telemetry" | "proxyHeaders">;

export interface OutboundHttp {
  readonly statPrefix: string;
  /** Routes within, or the name of those that are told apart. */
  readonly routes: RouteConfiguration | string;
  /** Before all others. */
  readonly first?: readonly NetworkFilter[];
  readonly terms?: Readonly<Record<string, unknown>>;
}

/** They do nothing but what a route asks of them. */
export const ROUTE_FILTERS: readonly NetworkFilter[] = [
  {
    name: FAULT,
    typedConfig: { "@type": typeUrl("envoy.extensions.filters.http.fault.v3.HTTPFault") },
  },
  { name: CORS, typedConfig: { "@type": typeUrl("envoy.extensions.filters.http.cors.v3.Cors") } },
  { name: PROTOCOL_FILTER, typedConfig: UNTOLD_PROTOCOL },
];

/** As our sidecar takes of its own application. */
const MAX_FIELDS = 128;
const MAX_HEAD_KB = 64;

export function outboundHttp(
  caller: Caller,
  { statPrefix, routes, first = [], terms = {} }: OutboundHttp,
): NetworkFilter {
  const { requestId } = caller.proxyHeaders ?? DEFAULT_PROXY_HEADERS;
  return connectionManager({
    statPrefix,
    routes,
    httpFilters: [...first, ...ROUTE_FILTERS],
    terms: {
      // OBS-32: an application does not say for whom it speaks.
      forwardClientCertDetails: "SANITIZE",
      useRemoteAddress: false,
      generateRequestId: requestId === "generated",
      preserveExternalRequestId: true,
      serverHeaderTransformation: "PASS_THROUGH",
      httpProtocolOptions: { acceptHttp10: true },
      maxRequestHeadersKb: MAX_HEAD_KB,
      commonHttpProtocolOptions: { maxHeadersCount: MAX_FIELDS },
      // An answer may take as long as its route lets it.
      streamIdleTimeout: "0s",
      upgradeConfigs: [{ upgradeType: "websocket" }],
      ...accessLogs(caller.telemetry?.outbound),
      ...tracingTerms(caller, "outbound"),
      ...terms,
    },
  });
}
