/** Writes down what happened, once for each request and each connection: access log entry, metrics, decision count. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import type { CallLabels, CallParty, Metrics } from "../telemetry/metrics.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, PASSTHROUGH } from "./cluster-names.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

/** Verified by both sides of one mutual TLS connection. */
export interface CallIdentities {
  readonly source: { readonly id: SpiffeId; readonly serialNumber: string };
  readonly destination: SpiffeId;
}

/** What is known of a connection and of both its ends. */
export interface CallFacts {
  readonly reporter: AccessLogEntry["reporter"];
  readonly startedAt: Date;
  /** The client's end. */
  readonly remote: SocketAddress;
  /** Our end. */
  readonly local: SocketAddress;
  readonly serverName?: string;
  /** Who is at both ends; absent on plaintext, and where only the further connection tells. */
  readonly identities?: CallIdentities;
  /** The service called; only the caller's side knows it. */
  readonly destination?: Destination;
  /** Where to it was sent: `inbound|8080||`. */
  readonly cluster?: string;
}

/** How a connection carried as TCP, or refused before anything was carried, came to its end. */
export interface ConnectionEnd {
  /** Of the two that a connection ended by a change of policy has seen, the second. */
  readonly decision?: Decision;
  readonly flags: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly target?: SocketAddress;
  /** Of the connection to `target`, once there was one. */
  readonly ends?: UpstreamEnds;
  readonly transportFailure?: string;
  /** Absent when one of its two sides ended it. */
  readonly termination?: "policy changed";
}

export interface RecorderOptions {
  readonly view: () => WorkloadView;
  readonly metrics: Metrics;
  readonly accessLog: (entry: AccessLogEntry) => void;
  readonly clock: Clock;
}

/** Of a field that comes from the wire. */
const MAX_CHARACTERS = 1_024;

export class Recorder {
  readonly #options: RecorderOptions;
  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  request(call: CallFacts, exchange: Exchange, outcome: Outcome): void {
    const { accessLog, metrics } = this.#options;
    const entry = this.#entry(call, { ...outcome, decision: exchange.decision });
    accessLog({
      ...entry,
      start_time: exchange.startedAt.toISOString(),
      duration: this.#since(exchange.startedAt),
      protocol: exchange.version,
      method: clipped(exchange.head.method),
      path: clipped(exchange.path),
      authority: clipped(exchange.authority),
      response_code: outcome.status,
      response_code_details: detailsOf(exchange, outcome),
      x_forwarded_for: clipped(exchange.headers.get("x-forwarded-for")),
      user_agent: clipped(exchange.headers.get("user-agent")),
      request_id: clipped(exchange.headers.get("x-request-id")),
    });
    if (exchange.decision !== undefined) metrics.recordDecision(exchange.decision);
    if (outcome.status === null) return;
    const labels = {
      ...this.#labels(call, outcome.flags, outcome.ends),
      responseCode: outcome.status,
    };
    metrics.recordRequest(labels, this.#since(exchange.startedAt));
  }

  /** For bytes on an HTTP connection that are no request. */
  brokenRequest(
    call: CallFacts,
    { problem, status }: { readonly problem: string; readonly status: number | null },
  ): void {
    const end = { flags: "DPE", bytesReceived: 0, bytesSent: 0 };
    this.#options.accessLog({
      ...this.#entry(call, end),
      protocol: "HTTP/1.1",
      response_code: status,
      response_code_details: `http1.codec_error{${problem}}`,
    });
    if (status === null) return;
    const labels = { ...this.#labels(call, "DPE"), responseCode: status };
    this.#options.metrics.recordRequest(labels, this.#since(call.startedAt));
  }

  connectionOpened(call: CallFacts, ends?: UpstreamEnds): void {
    this.#options.metrics.recordConnectionOpened(this.#labels(call, "-", ends));
  }

  /** For a connection of which `connectionOpened` was told. */
  connectionClosed(call: CallFacts, end: ConnectionEnd): void {
    this.#connection(call, end);
    const bytes = { received: end.bytesReceived, sent: end.bytesSent };
    this.#options.metrics.recordConnectionClosed(this.#labels(call, end.flags, end.ends), bytes);
  }

  /**
   * For a connection that was cut before anything was carried.
   *
   * @param decision absent when there was nothing to decide: it leads nowhere
   */
  connectionRefused(call: CallFacts, decision?: Decision): void {
    const flags = refusalFlags(decision);
    const end = { flags, bytesReceived: 0, bytesSent: 0 };
    this.#connection(call, decision === undefined ? end : { ...end, decision });
  }

  /** For a connection that was cut as so many others were that it gets no entry of its own. */
  refusalCounted(decision: Decision): void {
    this.#options.metrics.recordDecision(decision);
  }

  #connection(call: CallFacts, end: ConnectionEnd): void {
    const { accessLog, metrics } = this.#options;
    const details = end.decision === undefined ? null : responseCodeDetails(end.decision.reason);
    const { termination = details?.startsWith("rbac") === true ? details : null } = end;
    accessLog({
      ...this.#entry(call, end),
      response_code_details: termination === details ? null : details,
      connection_termination_details: termination,
    });
    if (end.decision !== undefined) metrics.recordDecision(end.decision);
  }

  #entry(
    call: CallFacts,
    end: Omit<ConnectionEnd, "decision"> & { readonly decision?: Decision | undefined },
  ): AccessLogEntry {
    const identities = identitiesOf(call, end.ends);
    return {
      start_time: call.startedAt.toISOString(),
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
      duration: this.#since(call.startedAt),
      x_forwarded_for: null,
      user_agent: null,
      request_id: null,
      upstream_host: end.target === undefined ? null : formatAddress(end.target),
      upstream_cluster: call.cluster ?? null,
      upstream_local_address: end.ends === undefined ? null : formatAddress(end.ends.local),
      downstream_local_address: formatAddress(call.local),
      downstream_remote_address: formatAddress(call.remote),
      requested_server_name: clipped(call.serverName),
      source_principal: identities?.source.id ?? null,
      destination_principal: identities?.destination ?? null,
      source_certificate_serial: identities?.source.serialNumber ?? null,
      decision: end.decision === undefined ? null : clippedDecision(end.decision),
    };
  }

  #since(start: Date): number {
    return this.#options.clock.now().getTime() - start.getTime();
  }

  #labels(call: CallFacts, responseFlags: string, ends?: UpstreamEnds): CallLabels {
    const identities = identitiesOf(call, ends);
    const { workload } = this.#options.view();
    const own = callParty(workload);
    const source = call.reporter === "source" ? own : {};
    const callee = call.reporter === "destination" ? own : {};
    const service = serviceOf(call, workload.namespace);
    return {
      reporter: call.reporter,
      source: withPrincipal(source, identities?.source.id),
      destination: withPrincipal(callee, identities?.destination),
      ...(service === undefined ? {} : { service }),
      responseFlags,
    };
  }
}

/** Clusters without a service give its label their own name, as Istio's do. */
const WITHOUT_SERVICE: ReadonlySet<string> = new Set([
  INBOUND_PASSTHROUGH,
  PASSTHROUGH,
  BLACK_HOLE,
]);

function serviceOf(
  { reporter, destination, cluster }: CallFacts,
  ownNamespace: string,
): CallLabels["service"] {
  if (destination !== undefined) {
    const { host, serviceName: name, serviceNamespace: namespace } = destination;
    return { host, name, namespace };
  }
  if (cluster === undefined || !WITHOUT_SERVICE.has(cluster)) return undefined;
  const namespace = reporter === "destination" ? ownNamespace : "unknown";
  return { host: "unknown", name: cluster, namespace };
}

/** What a stranger wrote is told at its beginning only: a line of the log costs more than a header. */
function clipped(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}

/** A problem may quote a certificate of whoever came. */
function clippedDecision(decision: Decision): Decision {
  const { reason } = decision;
  if (!("problem" in reason) || reason.problem.length <= MAX_CHARACTERS) return decision;
  return { ...decision, reason: { ...reason, problem: clipped(reason.problem) ?? "" } };
}

/** Where nothing was answered, the reason of the refusal is the detail. */
function detailsOf({ decision }: Exchange, { status, details }: Outcome): string {
  const refused = status === null && decision?.verdict === "deny";
  return (refused ? responseCodeDetails(decision.reason) : null) ?? details;
}

/** OBS-6: "NR" where no filter chain, or no destination, is for such a connection. */
function refusalFlags(decision: Decision | undefined): string {
  const because = decision?.reason.because;
  const unserved = because === "plaintext-refused" || because === "tls-refused";
  return decision === undefined || unserved ? "NR" : "-";
}

/** The caller's side learns who it speaks with from its own connection onwards. */
function identitiesOf(call: CallFacts, ends: UpstreamEnds | undefined): CallIdentities | undefined {
  if (call.reporter === "destination" || ends?.mutualTls === undefined) return call.identities;
  return { source: ends.mutualTls.own, destination: ends.mutualTls.peer.id };
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function callParty({ owner, namespace, labels }: WorkloadView["workload"]): CallParty {
  const app = labels["app"] ?? labels["app.kubernetes.io/name"];
  const version = labels["version"] ?? labels["app.kubernetes.io/version"];
  return {
    workload: owner,
    namespace,
    ...(app === undefined ? {} : { app }),
    ...(version === undefined ? {} : { version }),
    canonicalService: labels["service.istio.io/canonical-name"] ?? app ?? owner,
    canonicalRevision: labels["service.istio.io/canonical-revision"] ?? version ?? "latest",
  };
}

function withPrincipal(party: CallParty, principal: SpiffeId | undefined): CallParty {
  return principal === undefined ? party : { ...party, principal };
}
