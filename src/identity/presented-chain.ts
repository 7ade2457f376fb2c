/** The certificates that the other end of a connection has sent, as Node hangs them one on the other. */
import type { X509Certificate } from "node:crypto";

/** More than any mesh has, and as many as a chain is followed elsewhere. */
const MAX_CHAIN = 10;

/** @returns leaf first, without a root */
export function presentedChain(leaf: X509Certificate): readonly X509Certificate[] {
  const chain = [leaf];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    if (next.checkIssued(next) || chain.length === MAX_CHAIN) break;
    chain.push(next);
  }
  return chain;
}
