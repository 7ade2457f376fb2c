/** Says of a certificate that no trusted root stands behind where it leads instead, and what is trusted here. */
import { X509Certificate } from "node:crypto";
import { issuerKeyId } from "./issuer-key-id.ts";

/** What OpenSSL says when the last certificate it was given leads nowhere that we trust. */
const LEADS_ELSEWHERE: ReadonlySet<string> = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
]);
const MAX_CERTIFICATES = 10;
const MAX_NAME_CHARACTERS = 120;
const MAX_ROOTS = 3;

/** @param error the verification error's code, as `TLSSocket.authorizationError` has it */
export function untrustedProblem(
  leaf: X509Certificate,
  { error, rootsPem }: { readonly error: string; readonly rootsPem: readonly string[] },
): string {
  const problem = `the certificate is not trusted: ${error}`;
  if (!LEADS_ELSEWHERE.has(error)) return problem;
  return `${problem}; it leads to ${endOf(leaf)}, and trusted here is ${trustedInWords(rootsPem)}`;
}

/** A peer does not have to send its root: then only the name and key that its last certificate states are known. */
function endOf(leaf: X509Certificate): string {
  let last = leaf;
  for (let depth = 0; depth < MAX_CERTIFICATES; depth++) {
    const next = last.issuerCertificate;
    if (next === undefined || next.checkIssued(next)) return rootOrIssuer(next, last);
    last = next;
  }
  return rootOrIssuer(undefined, last);
}

function rootOrIssuer(root: X509Certificate | undefined, last: X509Certificate): string {
  if (root !== undefined) return inWords(root);
  if (last.checkIssued(last)) return inWords(last);
  return `${quoted(last.issuer)} (key ${statedKey(last)})`;
}

function statedKey(certificate: X509Certificate): string {
  try {
    return issuerKeyId(certificate) ?? "not stated";
  } catch {
    return "not readable";
  }
}

/** The first of them, by name and fingerprint. @throws Error for what is no certificate */
export function trustedInWords(rootsPem: readonly string[]): string {
  const named = rootsPem.slice(0, MAX_ROOTS).map((pem) => inWords(new X509Certificate(pem)));
  const more = rootsPem.length - named.length;
  return named.length === 0
    ? "nothing"
    : `${named.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `"O=cluster.local" (SHA-256 1f0c2b…)`, with as much of the fingerprint as `hauberk ca status` shows. */
function inWords({ subject, fingerprint256 }: X509Certificate): string {
  const id = fingerprint256.replaceAll(":", "").slice(0, 16).toLowerCase();
  return `${quoted(subject)} (SHA-256 ${id})`;
}

function quoted(name: string): string {
  return JSON.stringify(name.replaceAll("\n", ", ").slice(0, MAX_NAME_CHARACTERS));
}
