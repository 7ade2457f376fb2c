/** What must be known of a connection's first bytes before its chain is chosen. */
import {
  type EnvoyListener,
  type FilterChain,
  type NetworkFilter,
  typeUrl,
} from "../envoy-json.ts";

const TLS_INSPECTOR: NetworkFilter = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
  },
};
const HTTP_INSPECTOR: NetworkFilter = {
  name: "envoy.filters.listener.http_inspector",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"),
  },
};

/** A client that waits to be greeted names no server. */
const GREETING = "0.3s";
/** Of a client on a port that may carry requests nothing is known until it speaks (PA-41). */
const FOREVER = "0s";

/** Fields of a listener. */
export function inspected(
  chains: readonly FilterChain[],
): Pick<EnvoyListener, "listenerFilters"> & Readonly<Record<string, unknown>> {
  const matches = chains.map(({ filterChainMatch = {} }) => filterChainMatch);
  const asksForTls = matches.some(({ transportProtocol }) => transportProtocol === "tls");
  const asksForHttp = matches.some(
    ({ applicationProtocols }) => applicationProtocols !== undefined,
  );
  if (!asksForTls && !asksForHttp) return {};
  return {
    listenerFilters: [
      ...(asksForTls ? [TLS_INSPECTOR] : []),
      ...(asksForHttp ? [HTTP_INSPECTOR] : []),
    ],
    ...(asksForHttp
      ? { listenerFiltersTimeout: FOREVER }
      : { listenerFiltersTimeout: GREETING, continueOnListenerFiltersTimeout: true }),
  };
}
