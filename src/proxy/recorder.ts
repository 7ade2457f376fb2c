/** Writes down what happened, once for each request and each connection: access log entry, metrics, decision count. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { LogLine } from "../runtime/line-bytes.ts";
import { type AccessLogEntry, formatAccessLogEntry } from "../telemetry/access-log.ts";
import type { LoggedCall } from "../telemetry/logged-call.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { endSpan } from "../telemetry/tracing/span.ts";
import type { SpanSide } from "../telemetry/tracing/span-side.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import {
  type SideLogs,
  type UserAccessLogs,
  writeAccessLogs,
} from "../telemetry/user-access-logs.ts";
import { callEntry, type EntryTime, requestEntry } from "./access-entry.ts";
import { AccessLines } from "./access-lines.ts";
import { callLabels } from "./call-labels.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import type { BrokenRequest } from "./http/streams.ts";
import { RequestCounts } from "./request-counts.ts";
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
  readonly target?: SocketAddress | undefined;
  /** Of the connection to `target`, once there was one. */
  readonly ends?: UpstreamEnds | undefined;
  readonly transportFailure?: string | undefined;
  /** Absent when one of its two sides ended it. */
  readonly termination?: "policy changed";
}

export interface RecorderOptions {
  readonly view: () => WorkloadView;
  readonly metrics: Metrics;
  /** Takes one line of our own log, without its line end. */
  readonly accessLog: (line: LogLine) => void;
  /** Those that users configure; absent: none can be written. */
  readonly userLogs?: UserAccessLogs;
  /** Absent: no spans are told. */
  readonly tracing?: Tracing;
  readonly clock: Clock;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #lines = new AccessLines();
  readonly #counts: RequestCounts;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#counts = new RequestCounts(options);
  }

  /** Mostly nobody but our own log reads of it, and that needs no entry. */
  request(call: CallFacts, exchange: Exchange, outcome: Outcome): void {
    const { metrics, accessLog } = this.#options;
    const endedAt = outcome.endedAt ?? this.#options.clock.now();
    const duration = endedAt.getTime() - exchange.startedAt.getTime();
    const recorded = { outcome, duration };
    accessLog(this.#lines.request(call, exchange, recorded));
    const logs = this.#userLogsOf(call.reporter);
    if (logs !== undefined || exchange.span !== undefined) {
      const logged = loggedRequest(call, exchange, recorded);
      if (logs !== undefined) writeAccessLogs(logs, logged);
      if (exchange.span !== undefined) endSpan(exchange.span, logged);
    }
    if (exchange.decision !== undefined) metrics.recordDecision(exchange.decision);
    const series = this.#counts.series(call, outcome);
    series.record(duration, { received: outcome.bytesReceived, sent: outcome.bytesSent });
  }

  /** Where spans of calls of this side are told. */
  spanSide(reporter: CallFacts["reporter"]): SpanSide | undefined {
    const { tracing, view } = this.#options;
    return tracing?.of(view().telemetry, reporter);
  }

  /** Whether the fields of answers are wanted when a call of this side is recorded. */
  answerFields(reporter: CallFacts["reporter"]): "kept" | "passed on" {
    const isLogged = this.#userLogsOf(reporter) !== undefined;
    return isLogged || this.spanSide(reporter) !== undefined ? "kept" : "passed on";
  }

  /** For bytes on an HTTP connection that are no request. */
  brokenRequest(call: CallFacts, { protocol, details, status }: BrokenRequest): void {
    const end = { flags: "DPE", bytesReceived: 0, bytesSent: 0 };
    const entry: AccessLogEntry = {
      ...callEntry(call, end, this.#timeOf(call)),
      protocol,
      response_code: status,
      response_code_details: details,
    };
    this.#write(entry, call);
    if (status === null) return;
    const series = this.#counts.series(call, { status, flags: "DPE" });
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
      ...callEntry(call, end, this.#timeOf(call)),
      response_code_details: termination === details ? null : details,
      connection_termination_details: termination,
    };
    this.#write(entry, call);
    if (end.decision !== undefined) this.#options.metrics.recordDecision(end.decision);
  }

  /** What is no request, into our own log and into those that users configure. */
  #write(entry: AccessLogEntry, call: CallFacts): void {
    this.#options.accessLog(formatAccessLogEntry(entry));
    const logs = this.#userLogsOf(call.reporter);
    if (logs === undefined) return;
    writeAccessLogs(logs, { entry, startedAt: call.startedAt, ...certificateOf(call) });
  }

  #userLogsOf(reporter: CallFacts["reporter"]): SideLogs {
    const { userLogs, view } = this.#options;
    return userLogs?.of(view().telemetry, reporter);
  }

  #timeOf({ startedAt }: CallFacts): EntryTime {
    return { startedAt, duration: this.#since(startedAt) };
  }

  #since(start: Date): number {
    return this.#options.clock.now().getTime() - start.getTime();
  }
}

function loggedRequest(
  call: CallFacts,
  exchange: Exchange,
  recorded: { readonly outcome: Outcome; readonly duration: number },
): LoggedCall {
  const { responseHeaders, upstreamServiceMs } = recorded.outcome;
  return {
    entry: requestEntry(call, exchange, recorded),
    startedAt: exchange.startedAt,
    path: exchange.path,
    requestHeaders: exchange.headers,
    ...(responseHeaders && { responseHeaders }),
    ...(upstreamServiceMs !== undefined && { upstreamServiceMs }),
    ...certificateOf(call),
  };
}

function certificateOf({ identities }: CallFacts): Pick<LoggedCall, "certificateHash"> {
  const certificateHash = identities?.source.certificateHash;
  return certificateHash === undefined ? {} : { certificateHash };
}

/** OBS-6: "NR" where no filter chain, or no destination, is for such a connection. */
function refusalFlags(decision: Decision | undefined): string {
  const because = decision?.reason.because;
  const unserved = because === "plaintext-refused" || because === "tls-refused";
  if (because === "rate-limited") return "RL";
  if (because === "authorizer-denied" || because === "authorizer-failed") return "UAEX";
  return decision === undefined || unserved ? "NR" : "-";
}
