/**
 * What an Envoy writes down for its agent of each request and connection, as one more access log: JSON with the fields of our
 * own sidecars' log as far as Envoy can tell them. The agent completes them, and says why.
 */
import type { LogFormat } from "../api/mesh-settings.ts";
import type { AccessLog, EffectiveTelemetry, WorkloadView } from "../policy/workload-view.ts";
import { NO_PART, remembered } from "./remembered.ts";

/** In Envoy's working directory, which is its agent's own: a pipe, which the agent reads. */
export const DECISION_PIPE = "decisions.pipe";

/** How connections end that have come to nothing. */
const ENDING = {
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  handshake_problem: "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
  local_close_reason: "%DOWNSTREAM_LOCAL_CLOSE_REASON%",
} as const;

/** Of both sides. Addresses are those of the connection itself, and not what a header says of it. */
const FIELDS = {
  start_time: "%START_TIME%",
  protocol: "%PROTOCOL%",
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  source_certificate_serial: "%DOWNSTREAM_PEER_SERIAL%",
  ...ENDING,
} as const;

/** Of connections that may have got no further than their TLS handshake: only a listener hears of those. */
const HANDSHAKE_FIELDS = {
  ending: "handshake",
  start_time: FIELDS.start_time,
  duration: FIELDS.duration,
  response_flags: FIELDS.response_flags,
  ...ENDING,
  bytes_received: FIELDS.bytes_received,
  upstream_host: FIELDS.upstream_host,
  downstream_local_address: FIELDS.downstream_local_address,
  downstream_remote_address: FIELDS.downstream_remote_address,
  requested_server_name: FIELDS.requested_server_name,
  handshake_duration: "%DOWNSTREAM_HANDSHAKE_DURATION%",
  presented_serial: "%DOWNSTREAM_PEER_SERIAL%",
} as const;
/** What Envoy says of a handshake that took too long. */
export const HANDSHAKE_TIMED_OUT = "transport socket timeout was reached";
/** The inspector leaves such a reason too, of plaintext: then there is no version of TLS. */
const MAY_HAVE_FAILED = `has(connection.transport_failure_reason) || connection.termination_details == "${HANDSHAKE_TIMED_OUT}"`;

const INBOUND: AccessLog = ownLog({
  ...FIELDS,
  reporter: "destination",
  path: "%REQ(:PATH)%",
  /** After `X-Forwarded-For`. */
  remote_address: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
  source_principal: "%DOWNSTREAM_PEER_URI_SAN%",
  destination_principal: "%DOWNSTREAM_LOCAL_URI_SAN%",
});
/** A gateway's, too, whose callers are at the other end. */
const OUTBOUND: AccessLog = ownLog({
  ...FIELDS,
  reporter: "source",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  route_name: "%ROUTE_NAME%",
  remote_address: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
  client_principal: "%DOWNSTREAM_PEER_URI_SAN%",
  source_principal: "%UPSTREAM_LOCAL_URI_SAN%",
  destination_principal: "%UPSTREAM_PEER_URI_SAN%",
});

/** The same view, with one more access log on either side: the same object for as long as the view lives. */
export const withDecisionLog: (view: WorkloadView) => WorkloadView = remembered((view) => ({
  ...view,
  telemetry: withOwnLogs(view.telemetry ?? NO_PART),
}));

/** The same object for all views that share what users asked for. */
const withOwnLogs: (telemetry: Partial<EffectiveTelemetry>) => EffectiveTelemetry = remembered(
  ({ inbound = [], outbound = [], ...rest }) => ({
    ...rest,
    inbound: [...inbound, INBOUND],
    outbound: [...outbound, OUTBOUND],
  }),
);

/** What a listener writes down of handshakes: a filter in CEL, and fields that are for Envoy alone to read. */
export interface HandshakeLog {
  readonly path: string;
  readonly expression: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Whoever the mesh lets in has presented a certificate; a gateway's clients need none. */
const HANDSHAKES: ReadonlyMap<AccessLog, HandshakeLog> = new Map([
  [INBOUND, handshakeLog("destination", `!connection.mtls || ${MAY_HAVE_FAILED}`)],
  [OUTBOUND, handshakeLog("source", MAY_HAVE_FAILED)],
]);

/** @returns undefined for a log that users asked for: as Istio's, those tell of no handshakes */
export function handshakesFor(log: AccessLog): HandshakeLog | undefined {
  return HANDSHAKES.get(log);
}

function handshakeLog(reporter: string, condition: string): HandshakeLog {
  return {
    path: DECISION_PIPE,
    expression: `has(connection.tls_version) && (${condition})`,
    fields: { ...HANDSHAKE_FIELDS, reporter },
  };
}

function ownLog(fields: Readonly<Record<string, string>>): AccessLog {
  const format: LogFormat = { encoding: "JSON", template: JSON.stringify(fields) };
  return { provider: "hauberk", path: DECISION_PIPE, format };
}
