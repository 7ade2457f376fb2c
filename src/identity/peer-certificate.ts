/** Who a certificate speaks for. Its chain must have been verified before: this reads, it does not trust. */
import type { X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  alternativeNames,
  type Extensions,
  hasKeyUsage,
  readCertificateExtensions,
} from "./certificate-extensions.ts";
import { parseSpiffeId, type SpiffeId, trustDomainOf } from "./spiffe-id.ts";

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
 * The identity in a verified certificate: exactly one URI SAN, a SPIFFE ID with a path, on a certificate that cannot
 * sign others (X509-SVID sections 2 and 4).
 *
 * @throws PeerCertificateError
 */
export function spiffeIdOfCertificate(certificate: X509Certificate): SpiffeId {
  if (certificate.raw.length > MAX_PEER_CERTIFICATE_BYTES)
    throw new PeerCertificateError(
      `the certificate is longer than ${MAX_PEER_CERTIFICATE_BYTES} bytes`,
    );
  if (certificate.ca) throw new PeerCertificateError("the certificate is an authority's own");
  const [uri, ...others] = readUriNames(certificate);
  if (uri === undefined) throw new PeerCertificateError("the certificate has no URI name");
  if (others.length > 0)
    throw new PeerCertificateError(`the certificate has ${others.length + 1} URI names`);
  return parseIdentity(uri);
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

function readUriNames(certificate: X509Certificate): string[] {
  try {
    const extensions = readCertificateExtensions(certificate.raw);
    verifyUsage(extensions);
    const names = alternativeNames(extensions);
    return names.filter(({ kind }) => kind === "uri").map(({ value }) => value);
  } catch (cause) {
    if (cause instanceof PeerCertificateError) throw cause;
    throw new PeerCertificateError("the certificate's names cannot be read", { cause });
  }
}

/** X509-SVID section 4.3. */
function verifyUsage(extensions: Extensions): void {
  if (!hasKeyUsage(extensions, "digitalSignature"))
    throw new PeerCertificateError("the certificate's key is not for signatures");
  if (hasKeyUsage(extensions, "certificateSign") || hasKeyUsage(extensions, "crlSign"))
    throw new PeerCertificateError("the certificate's key may sign certificates");
}

function parseIdentity(uri: string): SpiffeId {
  let id: SpiffeId;
  try {
    id = parseSpiffeId(uri);
  } catch (cause) {
    throw new PeerCertificateError("the certificate's URI name is no identity", { cause });
  }
  if (id === `spiffe://${trustDomainOf(id)}`)
    throw new PeerCertificateError(`"${id}" names a trust domain, not a workload`);
  return id;
}
