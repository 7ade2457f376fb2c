/**
 * What an Envoy writes down for its agent of each request and connection, as one more access log: JSON with the fields of our
 * own sidecars' log as far as Envoy can tell them. The agent completes them, and says why.
 */
import type { LogFormat } from "../api/mesh-settings.ts";
import type { AccessLog, EffectiveTelemetry, WorkloadView } from "../policy/workload-view.ts";
import { NO_PART, remembered } from "./remembered.ts";

/** In Envoy's working directory, which is its agent's own: a pipe, which the agent reads. */
export const DECISION_PIPE = "decisions.pipe";

/** Of both sides. Addresses are those of the connection itself, and not what a header says of it. */
const FIELDS = {
  start_time: "%START_TIME%",
  protocol: "%PROTOCOL%",
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
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
} as const;

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

function ownLog(fields: Readonly<Record<string, string>>): AccessLog {
  const format: LogFormat = { encoding: "JSON", template: JSON.stringify(fields) };
  return { provider: "hauberk", path: DECISION_PIPE, format };
}
