/** Names that Envoy's own filters had once, before they were named after their place. */
const LISTENER_FILTERS = [
  "http_inspector",
  "original_dst",
  "original_src",
  "proxy_protocol",
  "tls_inspector",
];
const NETWORK_FILTERS = [
  "client_ssl_auth",
  "http_connection_manager",
  "mongo_proxy",
  "ratelimit",
  "redis_proxy",
  "tcp_proxy",
];
const HTTP_FILTERS = [
  "buffer",
  "cors",
  "csrf",
  "fault",
  "grpc_http1_bridge",
  "grpc_json_transcoder",
  "grpc_web",
  "gzip",
  "health_check",
  "ip_tagging",
  "lua",
  "router",
  "squash",
];

const CURRENT_NAMES: ReadonlyMap<string, string> = new Map([
  ...LISTENER_FILTERS.map(
    (name) => [`envoy.listener.${name}`, `envoy.filters.listener.${name}`] as const,
  ),
  ...NETWORK_FILTERS.map((name) => [`envoy.${name}`, `envoy.filters.network.${name}`] as const),
  ...HTTP_FILTERS.map((name) => [`envoy.${name}`, `envoy.filters.http.${name}`] as const),
  // Both a network and an HTTP filter had the name.
  ["envoy.ext_authz", "envoy.filters.http.ext_authz"],
  ["envoy.http_dynamo_filter", "envoy.filters.http.dynamo"],
  ["envoy.rate_limit", "envoy.filters.http.ratelimit"],
]);

/** @returns undefined for a name that is current, or nobody's */
export function currentFilterName(name: string): string | undefined {
  return CURRENT_NAMES.get(name);
}
