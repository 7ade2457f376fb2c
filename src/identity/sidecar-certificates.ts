/** What a sidecar tells of its certificates, as JSON at `/certs` of its administration: nothing that is secret. */

export interface SidecarCertificates {
  /** Null, as what follows, before the first certificate. */
  readonly id: string | null;
  /** Upper-case hexadecimal. */
  readonly serialNumber: string | null;
  /** ISO 8601. */
  readonly notAfter: string | null;
  /** ISO 8601; when the sidecar got it. */
  readonly issuedAt: string | null;
  /** PEM, leaf first, without the root. */
  readonly certificateChainPem: string | null;
  /** PEM of the roots that the workload's peers must chain to; empty before the first view. */
  readonly rootsPem: readonly string[];
}
