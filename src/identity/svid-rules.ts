/**
 * The rules of X509-SVID, sections 4 and 5, for every certificate that is read: a peer's, an answer's, one from a file.
 * They say what a certificate is, not whether it is trusted: that is `verifyChain`.
 */
import type { X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { alternativeNames } from "./certificate-extensions.ts";
import { type CertificateProfile, certificateProfile } from "./certificate-profile.ts";
import { parseSpiffeId, type SpiffeId, trustDomainOf } from "./spiffe-id.ts";

/** A certificate that is no X509-SVID, or a chain that is not one's. */
export class InvalidSvidError extends HauberkError {
  readonly code = "HAUBERK_INVALID_SVID";
}

/**
 * The identity in a leaf: exactly one URI SAN, a SPIFFE ID with a path, on a certificate that signs nothing else.
 *
 * @throws InvalidSvidError
 */
export function spiffeIdOfLeaf(certificate: X509Certificate): SpiffeId {
  const profile = read(certificate);
  if (profile.isAuthority) throw new InvalidSvidError("the certificate is an authority's own");
  verifyUsage(profile);
  return identityOf(profile);
}

function verifyUsage({ usage }: CertificateProfile): void {
  if (!usage.digitalSignature)
    throw new InvalidSvidError("the certificate's key is not for signatures");
  if (usage.certificateSign)
    throw new InvalidSvidError("the certificate's key may sign certificates");
  if (usage.crlSign) throw new InvalidSvidError("the certificate's key may sign revocation lists");
}

function identityOf({ extensions }: CertificateProfile): SpiffeId {
  const uris = readNames(extensions).filter(({ kind }) => kind === "uri");
  const [uri, ...others] = uris;
  if (uri === undefined) throw new InvalidSvidError("the certificate has no URI name");
  if (others.length > 0) throw new InvalidSvidError(`the certificate has ${uris.length} URI names`);
  return parseIdentity(uri.value);
}

function parseIdentity(uri: string): SpiffeId {
  const id = parsed(uri);
  if (id === `spiffe://${trustDomainOf(id)}`)
    throw new InvalidSvidError(`"${id}" names a trust domain, not a workload`);
  return id;
}

function parsed(uri: string): SpiffeId {
  try {
    return parseSpiffeId(uri);
  } catch (cause) {
    throw new InvalidSvidError("the certificate's URI name is no identity", { cause });
  }
}

function readNames(
  extensions: CertificateProfile["extensions"],
): ReturnType<typeof alternativeNames> {
  try {
    return alternativeNames(extensions);
  } catch (cause) {
    throw new InvalidSvidError("the certificate's names cannot be read", { cause });
  }
}

function read(certificate: X509Certificate): CertificateProfile {
  try {
    return certificateProfile(certificate);
  } catch (cause) {
    throw new InvalidSvidError("the certificate cannot be read", { cause });
  }
}
