/** The certificates that the other end of a connection has sent, as Node hangs them one on the other. */
import type { X509Certificate } from "node:crypto";
import "../runtime/first-peer-chain.ts";

/** More than any mesh has, and as many as a chain is followed elsewhere. */
const MAX_CHAIN = 10;

/** @returns leaf first, without a root; what was sent twice in a row is there once */
export function presentedChain(leaf: X509Certificate): readonly X509Certificate[] {
  const chain = [leaf];
  let next = leaf.issuerCertificate;
  for (let sent = 1; next !== undefined && sent < MAX_CHAIN; sent++) {
    if (next.checkIssued(next)) break;
    if (chain.at(-1)?.raw.equals(next.raw) !== true) chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
