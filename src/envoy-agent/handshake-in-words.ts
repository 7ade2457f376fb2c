/** Why a TLS handshake failed at Envoy, in the words that our own sidecar has for it. */

import { HANDSHAKE_TIMED_OUT } from "../envoy/decision-log.ts";
import { remembered } from "../envoy/remembered.ts";
import { trustedInWords } from "../identity/foreign-chain.ts";
import { PeerCertificateError, verifyTrustDomain } from "../identity/peer-certificate.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { Trust } from "../policy/workload-view.ts";

const NO_CERTIFICATE = /PEER_DID_NOT_RETURN_A_CERTIFICATE/;
const VERIFICATION = /certificate_verification_error_at_depth_\d+:_([a-zA-Z0-9_()-]+)/;
const NAMES = /SAN_matcher,_certificate_SANs_are_\[([^\]]*)/;
/** The last of several says most. */
const LIBRARY = /:OPENSSL_internal:([A-Za-z0-9_]+)/g;

/** As Node calls what OpenSSL says. */
const CODES: ReadonlyMap<string, string> = new Map([
  ["certificate has expired", "CERT_HAS_EXPIRED"],
  ["certificate is not yet valid", "CERT_NOT_YET_VALID"],
  ["certificate revoked", "CERT_REVOKED"],
  ["certificate signature failure", "CERT_SIGNATURE_FAILURE"],
  ["self signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["self signed certificate in certificate chain", "SELF_SIGNED_CERT_IN_CHAIN"],
  ["unable to get issuer certificate", "UNABLE_TO_GET_ISSUER_CERT"],
  ["unable to get local issuer certificate", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  ["unable to verify the first certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
]);
const LEADS_ELSEWHERE = /issuer|self signed|signature/;

/**
 * @param problem as Envoy tells it; null: it tells none
 * @param trust by which the client was judged; undefined: by what a gateway's server says, or by nothing
 */
export function handshakeInWords(problem: string | null, trust: Trust | undefined): string {
  if (problem === null) return "the client left during the handshake";
  if (problem === HANDSHAKE_TIMED_OUT) return "TLS handshake timeout";
  if (NO_CERTIFICATE.test(problem)) return "no certificate was presented";
  const [, names] = NAMES.exec(problem) ?? [];
  if (names !== undefined) return foreignName(names, trust);
  const [, untrusted] = VERIFICATION.exec(problem) ?? [];
  if (untrusted !== undefined) return untrustedInWords(untrusted.replaceAll("_", " "), trust);
  const said = [...problem.matchAll(LIBRARY)].at(-1)?.[1] ?? problem;
  return `the TLS handshake failed: ${said.replaceAll("_", " ").toLowerCase()}`;
}

/** TLS-4. Its chain was good: an authority of ours has put its name to them. */
function foreignName(names: string, trust: Trust | undefined): string {
  try {
    if (trust !== undefined) verifyTrustDomain(parseSpiffeId(names), trust);
  } catch (error) {
    if (error instanceof PeerCertificateError) return error.message;
  }
  return `none of the certificate's names is accepted: ${names}`;
}

function untrustedInWords(said: string, trust: Trust | undefined): string {
  const problem = `the certificate is not trusted: ${CODES.get(said) ?? said}`;
  return trust !== undefined && LEADS_ELSEWHERE.test(said)
    ? `${problem}; ${trustedHere(trust).words}`
    : problem;
}

const trustedHere: (trust: Trust) => { readonly words: string } = remembered(({ rootsPem }) => ({
  words: `trusted here is ${trustedInWords(rootsPem)}`,
}));
