/** Writes down what happened, once for each request and each connection: access log entry, metrics, decision count. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import type { LoggedCall } from "../telemetry/logged-call.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RequestSeries } from "../telemetry/request-metrics.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { endSpan } from "../telemetry/tracing/span.ts";
import type { SpanSide } from "../telemetry/tracing/span-side.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import { type UserAccessLogs, writeAccessLogs } from "../telemetry/user-access-logs.ts";
import { callLabels, identitiesOf } from "./call-labels.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import type { BrokenRequest } from "./http/streams.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

/** Verified by both sides of one mutual TLS connection. */
export interface CallIdentities {
  readonly source: {
    readonly id: SpiffeId;
    readonly serialNumber: string;
    /** SHA-256, lower-case hexadecimal; known of a caller, and of no need for oneself. */
    readonly certificateHash?: string;
  };
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
  /** Those that users configure; absent: none can be written. */
  readonly userLogs?: UserAccessLogs;
  /** Absent: no spans are told. */
  readonly tracing?: Tracing;
  readonly clock: Clock;
}

/** Of a field that comes from the wire. */
const MAX_CHARACTERS = 1_024;

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #knownSeries = new Map<string, RequestSeries>();
  /** The workload for whose labels they are. */
  #seriesOf: WorkloadView["workload"] | undefined;
  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  request(call: CallFacts, exchange: Exchange, outcome: Outcome): void {
    const { metrics } = this.#options;
    const entry: AccessLogEntry = {
      ...this.#entry(call, outcome, exchange),
      protocol: exchange.protocol,
      method: clipped(exchange.method),
      path: clipped(exchange.path),
      authority: clipped(exchange.authority),
      response_code: outcome.status,
      response_code_details: detailsOf(exchange, outcome),
      x_forwarded_for: clipped(exchange.headers.get("x-forwarded-for")),
      user_agent: clipped(exchange.headers.get("user-agent")),
      request_id: clipped(exchange.headers.get("x-request-id")),
    };
    this.#write(entry, { call, exchange, outcome });
    if (exchange.decision !== undefined) metrics.recordDecision(exchange.decision);
    if (outcome.status === null) return;
    const series = this.#series(call, { ...outcome, status: outcome.status });
    series.record(entry.duration, { received: outcome.bytesReceived, sent: outcome.bytesSent });
  }

  /** Where spans of calls of this side are told. */
  spanSide(reporter: CallFacts["reporter"]): SpanSide | undefined {
    const { tracing, view } = this.#options;
    return tracing?.of(view().telemetry, reporter);
  }

  /** Whether the fields of answers are wanted when a call of this side is recorded. */
  answerFields(reporter: CallFacts["reporter"]): "kept" | "passed on" {
    const { userLogs, view } = this.#options;
    const isLogged = userLogs?.of(view().telemetry, reporter) !== undefined;
    return isLogged || this.spanSide(reporter) !== undefined ? "kept" : "passed on";
  }

  /** For bytes on an HTTP connection that are no request. */
  brokenRequest(call: CallFacts, { protocol, details, status }: BrokenRequest): void {
    const end = { flags: "DPE", bytesReceived: 0, bytesSent: 0 };
    const entry: AccessLogEntry = {
      ...this.#entry(call, end, {}),
      protocol,
      response_code: status,
      response_code_details: details,
    };
    this.#write(entry, { call });
    if (status === null) return;
    const series = this.#series(call, { status, flags: "DPE" });
    series.record(entry.duration, { received: 0, sent: 0 });
  }

  connectionOpened(call: CallFacts, ends?: UpstreamEnds): void {
    const { metrics, view } = this.#options;
    const { workload } = view();
    metrics.recordConnectionOpened(callLabels(call, { workload, flags: "-", ends }));
  }

  /** For a connection of which `connectionOpened` was told. */
  connectionClosed(call: CallFacts, end: ConnectionEnd): void {
    this.#connection(call, end);
    const bytes = { received: end.bytesReceived, sent: end.bytesSent };
    const { metrics, view } = this.#options;
    const { workload } = view();
    metrics.recordConnectionClosed(callLabels(call, { workload, ...end }), bytes);
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
    const details = end.decision === undefined ? null : responseCodeDetails(end.decision.reason);
    const { termination = details?.startsWith("rbac") === true ? details : null } = end;
    const entry: AccessLogEntry = {
      ...this.#entry(call, end, { decision: end.decision }),
      response_code_details: termination === details ? null : details,
      connection_termination_details: termination,
    };
    this.#write(entry, { call });
    if (end.decision !== undefined) this.#options.metrics.recordDecision(end.decision);
  }

  /** Into our own log, and into those that users configure: mostly there are none, and nothing is gathered for them. */
  #write(entry: AccessLogEntry, { call, exchange, outcome }: Recorded): void {
    const { accessLog, userLogs, view } = this.#options;
    accessLog(entry);
    const logs = userLogs?.of(view().telemetry, call.reporter);
    const span = exchange?.span;
    if (logs === undefined && span === undefined) return;
    const { responseHeaders, upstreamServiceMs } = outcome ?? {};
    const certificateHash = call.identities?.source.certificateHash;
    const logged: LoggedCall = {
      entry,
      startedAt: exchange?.startedAt ?? call.startedAt,
      ...(exchange && { path: exchange.path, requestHeaders: exchange.headers }),
      ...(responseHeaders && { responseHeaders }),
      ...(upstreamServiceMs !== undefined && { upstreamServiceMs }),
      ...(certificateHash !== undefined && { certificateHash }),
    };
    if (logs !== undefined) writeAccessLogs(logs, logged);
    if (span !== undefined) endSpan(span, logged);
  }

  #entry(
    call: CallFacts,
    end: Omit<ConnectionEnd, "decision">,
    { startedAt = call.startedAt, decision }: Partial<Pick<Exchange, "startedAt" | "decision">>,
  ): AccessLogEntry {
    const identities = identitiesOf(call, end.ends);
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
      duration: this.#since(startedAt),
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
      decision: decision === undefined ? null : clippedDecision(decision),
    };
  }

  /** Worked out once for requests that have all labels in common: there are few such groups, and many requests. */
  #series(call: CallFacts, { status, flags, ends }: Counted): RequestSeries {
    const { metrics, view } = this.#options;
    const { workload } = view();
    if (workload !== this.#seriesOf || this.#knownSeries.size >= MAX_KNOWN_SERIES) {
      this.#seriesOf = workload;
      this.#knownSeries.clear();
    }
    const { source, destination } = identitiesOf(call, ends) ?? {};
    const key = `${call.reporter} ${status} ${flags} ${call.cluster} ${call.destination?.host} ${source?.id} ${destination}`;
    const known = this.#knownSeries.get(key);
    if (known !== undefined) return known;
    const labels = { ...callLabels(call, { workload, flags, ends }), responseCode: status };
    const series = metrics.requestSeries(labels);
    this.#knownSeries.set(key, series);
    return series;
  }

  #since(start: Date): number {
    return this.#options.clock.now().getTime() - start.getTime();
  }
}

/** Beyond it they are looked up anew. */
const MAX_KNOWN_SERIES = 4_096;

interface Counted {
  readonly status: number;
  readonly flags: string;
  readonly ends?: UpstreamEnds;
}

/** Of a request `exchange` and `outcome` too. */
interface Recorded {
  readonly call: CallFacts;
  readonly exchange?: Exchange;
  readonly outcome?: Outcome;
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

/** `127.0.0.1:8080`, `[::1]:8080` */
export function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
