/** What an authority did, by the names of Istio's metrics (CA-12), for Prometheus. */
import { Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../runtime/clock.ts";

/** Istio's words for why nothing was signed (CA-11). */
export type SigningFailure = "CSR_ERROR" | "TTL_ERROR" | "CERT_GEN_ERROR" | "CA_NOT_READY";

export interface CertificateMetrics {
  recordRequest(): void;
  recordUnauthenticated(): void;
  recordUnreadableRequest(): void;
  /** A request that asks for an identity that the caller does not have. */
  recordForeignIdentity(): void;
  recordFailure(failure: SigningFailure): void;
  recordIssued(): void;
  /** All series in Prometheus' text format. */
  metricsText(): Promise<string>;
  /** Of the text. */
  readonly contentType: string;
}

/** When the certificates that everything hangs on end; asked for whenever the metrics are read. */
export interface AuthorityEnds {
  /** Of the roots that are trusted, the first to end. */
  readonly root: () => Date | undefined;
  /** The earliest end of what signs and of what is above it. */
  readonly chain: () => Date;
  readonly clock: Clock;
}

export function createCertificateMetrics(ends: AuthorityEnds): CertificateMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string): (() => void) => {
    const count = new Counter({ name: `citadel_server_${name}`, help, registers });
    return () => count.inc();
  };
  const failures = new Counter({
    name: "citadel_server_csr_sign_err_count",
    help: "Certificate requests that were not signed, by why.",
    labelNames: ["error"] as const,
    registers,
  });
  createEndGauges(registers, { what: "root_cert", end: ends.root, clock: ends.clock });
  createEndGauges(registers, { what: "cert_chain", end: ends.chain, clock: ends.clock });
  return {
    recordRequest: counter("csr_count", "Certificate requests received."),
    recordUnauthenticated: counter(
      "authentication_failure_count",
      "Callers that were not who they had to be.",
    ),
    recordUnreadableRequest: counter(
      "csr_parsing_err_count",
      "Certificate requests that are malformed or badly signed.",
    ),
    recordForeignIdentity: counter(
      "id_extraction_err_count",
      "Certificate requests that name an identity that is not the caller's.",
    ),
    recordFailure: (error) => failures.inc({ error }),
    recordIssued: counter("success_cert_issuance_count", "Certificates issued."),
    metricsText: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function createEndGauges(
  registers: Registry[],
  options: {
    readonly what: "root_cert" | "cert_chain";
    readonly end: () => Date | undefined;
    readonly clock: Clock;
  },
): void {
  const { what, end, clock } = options;
  const gauge = (unit: string, help: string, value: (end: Date) => number): void => {
    new Gauge({
      name: `citadel_server_${what}_expiry_${unit}`,
      help,
      registers,
      collect() {
        const at = end();
        if (at === undefined) this.remove();
        else this.set(value(at));
      },
    });
  };
  gauge("timestamp", `When the ${what} ends, in seconds since 1970.`, (at) => at.getTime() / 1000);
  gauge(
    "seconds",
    `Seconds until the ${what} ends; negative once it has.`,
    (at) => (at.getTime() - clock.now().getTime()) / 1000,
  );
}
