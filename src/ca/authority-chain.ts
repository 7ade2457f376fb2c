/** The way from a signing certificate up to a root of its bundle: what peers must be sent, and when it ends (CA-45). */
import type { X509Certificate } from "node:crypto";

const MAX_CERTIFICATES = 10;

/** Certificates that may stand above the signing one. */
export interface CertificatesAbove {
  readonly intermediates: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
}

/**
 * The chain that stays valid longest, where there are several: a root that was renewed with its old key gives two.
 *
 * @returns the certificate itself first, a self-signed root of the bundle last; undefined when none is reached
 */
export function findChain(
  certificate: X509Certificate,
  above: CertificatesAbove,
): readonly X509Certificate[] | undefined {
  return longestLived(chainsFrom([certificate], above));
}

/** The earliest end of all certificates in the chain, and whose it is. */
export function endOfChain(chain: readonly X509Certificate[]): {
  readonly at: Date;
  readonly of: X509Certificate | undefined;
} {
  const [first] = chain.toSorted((one, other) => endOf(one) - endOf(other));
  return { at: new Date(first === undefined ? 0 : endOf(first)), of: first };
}

function chainsFrom(
  path: readonly X509Certificate[],
  above: CertificatesAbove,
): readonly (readonly X509Certificate[])[] {
  const last = path.at(-1);
  if (last === undefined) return [];
  const isKnown = (one: X509Certificate, list: readonly X509Certificate[]): boolean =>
    list.some((other) => other.fingerprint256 === one.fingerprint256);
  // OpenSSL takes a certificate that another signed for no root, even when it is in the bundle.
  if (isSignedBy(last, last)) return isKnown(last, above.roots) ? [path] : [];
  if (path.length === MAX_CERTIFICATES) return [];
  return [...above.intermediates, ...above.roots]
    .filter((issuer) => !isKnown(issuer, path) && issuer.ca && isSignedBy(last, issuer))
    .flatMap((issuer) => chainsFrom([...path, issuer], above));
}

function longestLived(
  chains: readonly (readonly X509Certificate[])[],
): readonly X509Certificate[] | undefined {
  const end = (chain: readonly X509Certificate[]): number => endOfChain(chain).at.getTime();
  return chains.toSorted((one, other) => end(other) - end(one))[0];
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function endOf({ validTo }: X509Certificate): number {
  return new Date(validTo).getTime();
}
