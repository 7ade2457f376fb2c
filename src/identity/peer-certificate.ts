/** Who a certificate speaks for. Its chain must have been verified before: this reads, it does not trust. */
import type { X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { type SpiffeId, trustDomainOf } from "./spiffe-id.ts";
import { InvalidSvidError, spiffeIdOfLeaf } from "./svid-rules.ts";

/** A chain that a peer sends is cut by TLS long before; this bounds one certificate. */
export const MAX_PEER_CERTIFICATE_BYTES = 16_384;

/** A peer's certificate names no single SPIFFE identity of an accepted trust domain. */
export class PeerCertificateError extends HauberkError {
  readonly code = "HAUBERK_PEER_CERTIFICATE";
}

/** Whose peers are accepted. `WorkloadView`'s `trust` has this shape. */
export interface AcceptedTrustDomains {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

/**
 * The identity in a verified certificate, by the rules of X509-SVID (`svid-rules.ts`).
 *
 * @throws PeerCertificateError
 */
export function spiffeIdOfCertificate(certificate: X509Certificate): SpiffeId {
  if (certificate.raw.length > MAX_PEER_CERTIFICATE_BYTES)
    throw new PeerCertificateError(
      `the certificate is longer than ${MAX_PEER_CERTIFICATE_BYTES} bytes`,
    );
  try {
    return spiffeIdOfLeaf(certificate);
  } catch (error) {
    if (!(error instanceof InvalidSvidError)) throw error;
    throw new PeerCertificateError(error.message, { cause: error.cause });
  }
}

/**
 * Refuses identities of foreign trust domains, also when they chain to our root (TLS-4).
 *
 * @throws PeerCertificateError
 */
export function verifyTrustDomain(id: SpiffeId, accepted: AcceptedTrustDomains): void {
  const domain = trustDomainOf(id);
  if (domain === accepted.trustDomain || accepted.trustDomainAliases.includes(domain)) return;
  throw new PeerCertificateError(`"${id}" is of a foreign trust domain`);
}
