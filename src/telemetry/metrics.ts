/**
 * Istio's standard metrics and a few of our own, for Prometheus.
 * Labels come from verified certificates, resources and fixed sets alone, so that no stranger decides how many series there are.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { AuthorizerAnswer, Decision } from "../policy/decision.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { AuthorizerMetrics } from "./authorizer-metrics.ts";
import { DecisionMetrics } from "./decision-metrics.ts";
import { createRateLimitMetrics, type LimitTally } from "./rate-limit-metrics.ts";
import { RequestMetrics, type RequestSeries } from "./request-metrics.ts";

/** One side of a call, as far as it is known. */
export interface CallParty {
  readonly workload?: string;
  readonly namespace?: string;
  /** Verified SPIFFE id. */
  readonly principal?: string;
  readonly app?: string;
  readonly version?: string;
  readonly canonicalService?: string;
  readonly canonicalRevision?: string;
}

/** The labels that requests and connections share (OBS-21). Whatever is absent is told as "unknown". */
export interface CallLabels {
  readonly reporter: "source" | "destination";
  readonly source: CallParty;
  readonly destination: CallParty;
  /** The service that was called. */
  readonly service?: { readonly host: string; readonly name: string; readonly namespace: string };
  /** Envoy's response flags, such as "-" or "UF" (OBS-6). */
  readonly responseFlags?: string;
}

export interface RequestLabels extends CallLabels {
  /** HTTP status code that the caller saw; 0 where it saw none. */
  readonly responseCode: number;
}

/** Bytes relayed over one TCP connection, as the service sees them. */
export interface RelayedBytes {
  /** From the callee to the caller. */
  readonly sent: number;
  /** From the caller to the callee. */
  readonly received: number;
}

export interface Metrics {
  /** The series of requests with these labels: whoever has many such requests asks once. */
  requestSeries(labels: RequestLabels): RequestSeries;
  recordConnectionOpened(labels: CallLabels): void;
  recordConnectionClosed(labels: CallLabels, bytes: RelayedBytes): void;
  recordDecision(decision: Decision): void;
  recordAuthorizerAnswer(answer: AuthorizerAnswer): void;
  /** From now on the exposition tells the seconds left until then. */
  setCertificateExpiry(notAfter: Date): void;
  /** Whether the listener serves the newest certificate; until told otherwise it does. */
  setServedCertificate(verdict: "current" | "behind"): void;
  /** From now on the exposition tells what rate limits have counted. */
  setRateLimits(tallies: () => Iterable<LimitTally>): void;
  /** All series in Prometheus' text format. */
  exposition(): Promise<string>;
  /** Of the exposition. */
  readonly contentType: string;
}

const UNKNOWN = "unknown";
const CALL_LABELS = [
  "reporter",
  "source_workload",
  "source_workload_namespace",
  "source_principal",
  "source_app",
  "source_version",
  "source_canonical_service",
  "source_canonical_revision",
  "source_cluster",
  "destination_workload",
  "destination_workload_namespace",
  "destination_principal",
  "destination_app",
  "destination_version",
  "destination_canonical_service",
  "destination_canonical_revision",
  "destination_cluster",
  "destination_service",
  "destination_service_name",
  "destination_service_namespace",
  "request_protocol",
  "response_flags",
  "connection_security_policy",
] as const;
const REQUEST_LABELS = [...CALL_LABELS, "response_code", "grpc_response_status"] as const;
type CallLabelValues = Record<(typeof CALL_LABELS)[number], string>;

/** Metrics of one sidecar, in a registry of their own. */
export function createMetrics(clock: Clock = systemClock): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new RequestMetrics();
  const connections = createConnectionMetrics(registers);
  const decisions = new DecisionMetrics(registers);
  const authorizers = new AuthorizerMetrics(registers);
  const setCertificateExpiry = createExpiryGauge(registers, clock);
  return {
    ...connections,
    setCertificateExpiry,
    setServedCertificate: createServedGauge(registers),
    setRateLimits: createRateLimitMetrics(registers),
    requestSeries: (labels) => requests.series(requestLabelValues(labels)),
    recordDecision: (decision) => decisions.record(decision),
    recordAuthorizerAnswer: (answer) => authorizers.record(answer),
    exposition: async () => `${await registry.metrics()}${requests.text()}`,
    contentType: registry.contentType,
  };
}

function createConnectionMetrics(
  registers: Registry[],
): Pick<Metrics, "recordConnectionOpened" | "recordConnectionClosed"> {
  const counter = (name: string, help: string): Counter<(typeof CALL_LABELS)[number]> =>
    new Counter({ name, help, labelNames: CALL_LABELS, registers });
  const opened = counter("istio_tcp_connections_opened_total", "TCP connections opened.");
  const closed = counter("istio_tcp_connections_closed_total", "TCP connections closed.");
  const sent = counter("istio_tcp_sent_bytes_total", "Bytes sent in responses over TCP.");
  const received = counter(
    "istio_tcp_received_bytes_total",
    "Bytes received in requests over TCP.",
  );
  return {
    recordConnectionOpened: (labels) => opened.inc(callLabelValues(labels, "tcp")),
    recordConnectionClosed(labels, bytes) {
      const values = callLabelValues(labels, "tcp");
      closed.inc(values);
      sent.inc(values, bytes.sent);
      received.inc(values, bytes.received);
    },
  };
}

function createServedGauge(registers: Registry[]): Metrics["setServedCertificate"] {
  const gauge = new Gauge({
    name: "hauberk_served_certificate_behind",
    help: "1 while the listener serves another certificate than the newest, for more than five seconds; else 0.",
    registers,
  });
  return (verdict) => gauge.set(verdict === "behind" ? 1 : 0);
}

function createExpiryGauge(registers: Registry[], clock: Clock): Metrics["setCertificateExpiry"] {
  let expiry: Date | undefined;
  new Gauge({
    name: "hauberk_certificate_expiry_seconds",
    help: "Seconds until the sidecar's certificate expires; negative once it has.",
    registers,
    collect() {
      if (expiry === undefined) this.remove();
      else this.set((expiry.getTime() - clock.now().getTime()) / 1000);
    },
  });
  return (notAfter) => {
    expiry = notAfter;
  };
}

function requestLabelValues(
  labels: RequestLabels,
): Record<(typeof REQUEST_LABELS)[number], string> {
  return {
    ...callLabelValues(labels, "http"),
    response_code: responseCode(labels.responseCode),
    grpc_response_status: "",
  };
}

function callLabelValues(labels: CallLabels, protocol: "http" | "tcp"): CallLabelValues {
  const { reporter, source, destination, service, responseFlags = "-" } = labels;
  return {
    reporter,
    source_workload: source.workload ?? UNKNOWN,
    source_workload_namespace: sourceNamespace(labels),
    source_principal: source.principal ?? UNKNOWN,
    source_app: source.app ?? UNKNOWN,
    source_version: source.version ?? UNKNOWN,
    source_canonical_service: source.canonicalService ?? UNKNOWN,
    source_canonical_revision: source.canonicalRevision ?? UNKNOWN,
    source_cluster: UNKNOWN,
    destination_workload: destination.workload ?? UNKNOWN,
    destination_workload_namespace:
      destination.namespace ?? provenNamespace(destination) ?? UNKNOWN,
    destination_principal: destination.principal ?? UNKNOWN,
    destination_app: destination.app ?? UNKNOWN,
    destination_version: destination.version ?? UNKNOWN,
    destination_canonical_service: destination.canonicalService ?? UNKNOWN,
    destination_canonical_revision: destination.canonicalRevision ?? UNKNOWN,
    destination_cluster: UNKNOWN,
    destination_service: service?.host ?? UNKNOWN,
    destination_service_name: service?.name ?? UNKNOWN,
    destination_service_namespace: service?.namespace ?? destination.namespace ?? UNKNOWN,
    request_protocol: protocol,
    response_flags: responseFlags,
    connection_security_policy: securityPolicy(labels),
  };
}

/** Only the callee's side knows: there both identities were verified or the connection is not mutual TLS (OBS-22). */
function securityPolicy({ reporter, source, destination }: CallLabels): string {
  if (reporter === "source") return UNKNOWN;
  return source.principal && destination.principal ? "mutual_tls" : "none";
}

/** On the callee's side the caller's namespace is the one its certificate proves (OBS-23). */
function sourceNamespace({ reporter, source }: CallLabels): string {
  const claimed = source.namespace ?? UNKNOWN;
  return reporter === "destination" ? (provenNamespace(source) ?? claimed) : claimed;
}

function provenNamespace({ principal = "" }: CallParty): string | undefined {
  return /\/ns\/([^/]+)\//.exec(principal)?.[1];
}

/** Applications may answer any number; only codes that HTTP knows become series. */
function responseCode(code: number): string {
  return Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : "0";
}
