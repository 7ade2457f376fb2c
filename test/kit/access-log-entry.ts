/** An access log entry of one allowed request, changed as a test wants it. */
import { spiffeId } from "../../src/identity/spiffe-id.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";

const idOf = (serviceAccount: string): NonNullable<AccessLogEntry["source_principal"]> =>
  spiffeId({ trustDomain: "cluster.local", namespace: "production", serviceAccount });

export function accessLogEntry(changes: Partial<AccessLogEntry> = {}): AccessLogEntry {
  return {
    start_time: "2026-01-01T00:00:00.000Z",
    reporter: "destination",
    protocol: "HTTP/1.1",
    method: "GET",
    path: "/api/v1/orders",
    authority: "api:8080",
    response_code: 200,
    response_flags: "-",
    response_code_details: "via_upstream",
    connection_termination_details: null,
    upstream_transport_failure_reason: null,
    bytes_received: 0,
    bytes_sent: 1,
    duration: 2,
    x_forwarded_for: null,
    user_agent: null,
    request_id: null,
    upstream_host: "127.0.0.1:20002",
    upstream_local_address: "127.0.0.1:46320",
    upstream_cluster: "inbound|8080||",
    downstream_local_address: "127.0.0.1:20003",
    downstream_remote_address: "127.0.0.1:46622",
    requested_server_name: null,
    source_principal: idOf("frontend"),
    destination_principal: idOf("api"),
    source_certificate_serial: "E96EA000AC8A49E3",
    decision: { verdict: "allow", reason: { because: "no-allow-policy" } },
    ...changes,
  };
}
