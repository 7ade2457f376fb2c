/** Whether a certificate chain leads to a trusted root. For chains read outside a TLS handshake, which has its own check. */
import type { X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";

const MAX_CERTIFICATES = 10;

/** A certificate chain that does not lead to a trusted root. */
export class UntrustedChainError extends HauberkError {
  readonly code = "HAUBERK_UNTRUSTED_CHAIN";
}

/**
 * @param chain leaf first, each signed by the next (CA-2)
 * @throws UntrustedChainError
 */
export function verifyChain(
  chain: readonly X509Certificate[],
  { roots, now }: { readonly roots: readonly X509Certificate[]; readonly now: Date },
): void {
  if (chain.length > MAX_CERTIFICATES) throw new UntrustedChainError("the chain is too long");
  chain.forEach((certificate, index) => {
    verifyValidity(certificate, now);
    const next = chain[index + 1];
    if (next === undefined) return;
    if (!next.ca) throw new UntrustedChainError("an intermediate is not a CA's certificate");
    if (!isSignedBy(certificate, next))
      throw new UntrustedChainError("a certificate is not signed by the next one in the chain");
  });
  const last = chain.at(-1);
  const root = roots.find((candidate) => last !== undefined && isSignedBy(last, candidate));
  if (root === undefined) throw new UntrustedChainError("the chain leads to no trusted root");
  if (!root.ca) throw new UntrustedChainError("the root is not a CA's certificate");
  verifyValidity(root, now);
}

function verifyValidity({ validFrom, validTo }: X509Certificate, now: Date): void {
  if (now < new Date(validFrom)) throw new UntrustedChainError(`valid only from ${validFrom}`);
  if (now >= new Date(validTo)) throw new UntrustedChainError(`expired at ${validTo}`);
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
