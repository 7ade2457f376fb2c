/** What a sidecar tells of its certificates, as JSON at `/certs` of its administration: nothing that is secret. */

export interface SidecarCertificates extends CertificateInUse {
  /** PEM of the roots that the workload's peers must chain to; empty before the first view. */
  readonly rootsPem: readonly string[];
  /** Of a sidecar of several processes, each of which has its own; what is told beside is the one that ends first. */
  readonly processes?: readonly ProcessCertificate[];
}

export interface ProcessCertificate extends CertificateInUse {
  /** From 1. */
  readonly process: number;
}

export interface CertificateInUse {
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
}
