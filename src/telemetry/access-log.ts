/** The access log: one entry a request or connection, complete enough to be judged again. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Decision } from "../policy/decision.ts";
import { printableJson } from "../runtime/printable.ts";

/** Names follow Istio's JSON access log (OBS-2); the last four are ours. Absent values are null. */
export interface AccessLogEntry {
  /** ISO 8601 UTC with milliseconds (OBS-5). */
  readonly start_time: string;
  /** Whose sidecar wrote it: the callee's ("destination") or the caller's ("source"). */
  readonly reporter: "source" | "destination";
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "TCP";
  readonly method: string | null;
  readonly path: string | null;
  readonly authority: string | null;
  readonly response_code: number | null;
  /** "-", "NR", "UF", "UC" and so on (OBS-6). */
  readonly response_flags: string;
  /** Such as `rbac_access_denied_matched_policy[none]` (AP-131) or `filter_chain_not_found`. */
  readonly response_code_details: string | null;
  readonly connection_termination_details: string | null;
  readonly upstream_transport_failure_reason: string | null;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly x_forwarded_for: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  /** `address:port` */
  readonly upstream_host: string | null;
  readonly upstream_cluster: string | null;
  /** `address:port` of this sidecar's own end of the connection to `upstream_host`. */
  readonly upstream_local_address: string | null;
  readonly downstream_local_address: string | null;
  readonly downstream_remote_address: string | null;
  readonly requested_server_name: string | null;
  /** Verified identity of the caller; null on plaintext. */
  readonly source_principal: SpiffeId | null;
  readonly destination_principal: SpiffeId | null;
  /** Serial number of the caller's certificate; null on plaintext. */
  readonly source_certificate_serial: string | null;
  readonly decision: Decision | null;
}

/** One JSON object on one line, without its line end; safe to look at in a terminal. */
export function formatAccessLogEntry(entry: AccessLogEntry): string {
  return printableJson(JSON.stringify(entry));
}
