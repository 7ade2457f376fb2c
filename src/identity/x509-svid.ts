/** X.509-SVID: a certificate that proves a SPIFFE id. Standard: https://spiffe.io/docs/latest/spiffe-specs/x509-svid */
import type { SpiffeId } from "./spiffe-id.ts";

/** A workload's own proof: made beside the workload, never sent anywhere but to its own proxy. */
export interface X509Svid {
  readonly id: SpiffeId;
  /** PEM, leaf first, then intermediates; without the root. */
  readonly certificateChainPem: string;
  /** PKCS#8 PEM. Never logged, never sent. */
  readonly privateKeyPem: string;
  /** Upper-case hexadecimal, as `openssl x509 -serial` prints it. */
  readonly serialNumber: string;
  /** When it was received; half-life counts from here, since `notBefore` is backdated (CA-16, CA-31). */
  readonly issuedAt: Date;
  readonly notAfter: Date;
}
