/** What the filter of an access log may ask about a request or a connection: Envoy's attributes (OBS-12). */

export const LOG_ATTRIBUTES = {
  request: [
    "path",
    "url_path",
    "query",
    "host",
    "scheme",
    "method",
    "headers",
    "referer",
    "useragent",
    "time",
    "id",
    "protocol",
    "duration",
    "size",
    "total_size",
  ],
  response: [
    "code",
    "code_details",
    "flags",
    "grpc_status",
    "headers",
    "trailers",
    "size",
    "total_size",
    "backend_latency",
  ],
  source: ["address", "port"],
  destination: ["address", "port"],
  connection: [
    "id",
    "mtls",
    "requested_server_name",
    "termination_details",
    "tls_version",
    "subject_local_certificate",
    "subject_peer_certificate",
    "dns_san_local_certificate",
    "dns_san_peer_certificate",
    "uri_san_local_certificate",
    "uri_san_peer_certificate",
    "sha256_peer_certificate_digest",
    "transport_failure_reason",
  ],
  upstream: [
    "address",
    "port",
    "local_address",
    "locality",
    "request_attempt_count",
    "cx_pool_id",
    "tls_version",
    "subject_local_certificate",
    "subject_peer_certificate",
    "dns_san_local_certificate",
    "dns_san_peer_certificate",
    "uri_san_local_certificate",
    "uri_san_peer_certificate",
    "sha256_peer_certificate_digest",
    "transport_failure_reason",
  ],
  xds: [
    "cluster_name",
    "cluster_metadata",
    "route_name",
    "route_metadata",
    "virtual_host_name",
    "virtual_host_metadata",
    "upstream_host_metadata",
    "filter_chain_name",
    "listener_metadata",
    "listener_direction",
    "node",
  ],
} as const;

export type LogSubject = keyof typeof LOG_ATTRIBUTES;
export type LogAttribute = {
  [S in LogSubject]: `${S}.${(typeof LOG_ATTRIBUTES)[S][number]}`;
}[LogSubject];

/** Known to Envoy, and maps of what only Envoy has: nothing is ever in them here. */
export const EMPTY_SUBJECTS: ReadonlySet<string> = new Set([
  "metadata",
  "filter_state",
  "upstream_filter_state",
]);

/** @returns undefined for what is no attribute of Envoy's */
export function logAttribute(subject: string, name: string): LogAttribute | undefined {
  if (!Object.hasOwn(LOG_ATTRIBUTES, subject)) return undefined;
  const known: readonly string[] = LOG_ATTRIBUTES[subject as LogSubject];
  return known.includes(name) ? (`${subject}.${name}` as LogAttribute) : undefined;
}
