/** What is written of connections to the pod's outbound ports that are not the pod's own: enough to be seen, too little to be a weapon. */
import type { AcceptedConnection } from "../proxy/accepted-connection.ts";
import { Allowance } from "../proxy/allowance.ts";
import { formatAddress } from "../proxy/format-address.ts";
import type { Clock } from "../runtime/clock.ts";
import { type AccessLogEntry, formatAccessLogEntry } from "../telemetry/access-log.ts";

const ENTRIES_PER_SECOND = 20;

export type TellForeign = (connection: AcceptedConnection, problem: string) => void;

/** @param write takes one line of the pod's access log */
export function foreignCalls(write: (line: string) => void, clock: Clock): TellForeign {
  const entries = new Allowance({ perSecond: ENTRIES_PER_SECOND, clock });
  return (connection, problem) => {
    if (entries.take() === "granted")
      write(formatAccessLogEntry(entryOf(connection, { problem, now: clock.now() })));
  };
}

function entryOf(
  { acceptedAt, remote, local }: AcceptedConnection,
  { problem, now }: { readonly problem: string; readonly now: Date },
): AccessLogEntry {
  return {
    start_time: acceptedAt.toISOString(),
    reporter: "source",
    protocol: "TCP",
    method: null,
    path: null,
    authority: null,
    response_code: null,
    response_flags: "-",
    response_code_details: "not_own_workload",
    connection_termination_details: null,
    upstream_transport_failure_reason: null,
    bytes_received: 0,
    bytes_sent: 0,
    duration: now.getTime() - acceptedAt.getTime(),
    x_forwarded_for: null,
    user_agent: null,
    request_id: null,
    upstream_host: null,
    upstream_cluster: null,
    upstream_local_address: null,
    downstream_local_address: formatAddress(local),
    downstream_remote_address: formatAddress(remote),
    requested_server_name: null,
    source_principal: null,
    destination_principal: null,
    source_certificate_serial: null,
    decision: { verdict: "deny", reason: { because: "not-own-workload", problem } },
  };
}
