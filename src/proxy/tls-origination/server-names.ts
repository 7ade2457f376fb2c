/** Whether a server's certificate is of one of the names that it must have (RFC 6125, RFC 9525). */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { alternativeNames } from "../../identity/certificate-extensions.ts";
import { certificateProfile } from "../../identity/certificate-profile.ts";

/** A whole label at most may be a wildcard; a common name is no name of a server. */
const NAMES_ONLY = { subject: "never", wildcards: true, partialWildcards: false } as const;

/**
 * @param names DNS names, IP addresses or URIs: one is enough
 * @returns what is wrong, in words
 */
export function serverNameProblem(
  certificate: X509Certificate,
  names: readonly string[],
): string | undefined {
  if (names.some((name) => hasName(certificate, name))) return undefined;
  const shown = certificate.subjectAltName ?? "no subject alternative name";
  const wanted = names.length === 0 ? "any name that was called" : names.join(" or ");
  return `the certificate is of ${shown.slice(0, 512)}, and not of ${wanted}`;
}

function hasName(certificate: X509Certificate, name: string): boolean {
  if (name.includes("://")) return hasUri(certificate, name);
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  // OpenSSL would take a leading dot for any subdomain.
  if (name === "" || name.startsWith(".")) return false;
  return certificate.checkHost(name, NAMES_ONLY) !== undefined;
}

function hasUri(certificate: X509Certificate, uri: string): boolean {
  try {
    return alternativeNames(certificateProfile(certificate).extensions).some(
      ({ kind, value }) => kind === "uri" && value === uri,
    );
  } catch {
    // What cannot be read names nobody.
    return false;
  }
}
