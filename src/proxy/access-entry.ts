/** Entries of the access log: of connections, and of requests where a log that users configure or a span reads one. */
import type { Decision } from "../policy/decision.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { identitiesOf } from "./call-labels.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import { formatAddress } from "./format-address.ts";
import type { CallFacts, ConnectionEnd } from "./recorder.ts";

export interface EntryTime {
  readonly startedAt: Date;
  /** In milliseconds. */
  readonly duration: number;
}

/** Of a field that comes from the wire. */
export const MAX_CHARACTERS = 1_024;

/** What is known of every call; whoever knows more says so. */
export function callEntry(
  call: CallFacts,
  end: ConnectionEnd,
  { startedAt, duration }: EntryTime,
): AccessLogEntry {
  const { decision, ends } = end;
  const identities = identitiesOf(call, ends);
  return {
    start_time: startedAt.toISOString(),
    reporter: call.reporter,
    protocol: "TCP",
    method: null,
    path: null,
    authority: null,
    response_code: null,
    response_flags: end.flags,
    response_code_details: null,
    connection_termination_details: null,
    upstream_transport_failure_reason: clipped(end.transportFailure),
    bytes_received: end.bytesReceived,
    bytes_sent: end.bytesSent,
    duration,
    x_forwarded_for: null,
    user_agent: null,
    request_id: null,
    upstream_host: end.target === undefined ? null : formatAddress(end.target),
    upstream_cluster: call.cluster ?? null,
    upstream_local_address: ends === undefined ? null : formatAddress(ends.local),
    downstream_local_address: formatAddress(call.local),
    downstream_remote_address: formatAddress(call.remote),
    requested_server_name: clipped(call.serverName),
    source_principal: identities?.source.id ?? null,
    destination_principal: identities?.destination ?? null,
    source_certificate_serial: identities?.source.serialNumber ?? null,
    decision: decision === undefined ? null : clippedDecision(decision),
  };
}

/** What `AccessLines` writes of the same request, as a value. */
export function requestEntry(
  call: CallFacts,
  exchange: Exchange,
  { outcome, duration }: { readonly outcome: Outcome; readonly duration: number },
): AccessLogEntry {
  const { startedAt, decision, headers } = exchange;
  const end = decision === undefined ? outcome : { ...outcome, decision };
  return {
    ...callEntry(call, end, { startedAt, duration }),
    protocol: exchange.protocol,
    method: clipped(exchange.method),
    path: clipped(exchange.path),
    authority: clipped(exchange.authority),
    response_code: outcome.status,
    response_code_details: detailsOf(exchange, outcome),
    x_forwarded_for: clipped(headers.get("x-forwarded-for")),
    user_agent: clipped(headers.get("user-agent")),
    request_id: clipped(headers.get("x-request-id")),
  };
}

/** What a stranger wrote is told at its beginning only: a line of the log costs more than a header. */
export function clipped(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}

/** A problem may quote a certificate of whoever came. */
export function clippedDecision(decision: Decision): Decision {
  const { reason } = decision;
  if (!("problem" in reason) || reason.problem.length <= MAX_CHARACTERS) return decision;
  return { ...decision, reason: { ...reason, problem: clipped(reason.problem) ?? "" } };
}

/** Where nothing was answered, the reason of the refusal is the detail. */
export function detailsOf({ decision }: Exchange, { status, details }: Outcome): string {
  const refused = status === null && decision?.verdict === "deny";
  return (refused ? responseCodeDetails(decision.reason) : null) ?? details;
}
