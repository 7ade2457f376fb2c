/** Who may sign certificates for workloads, as every verifier that a mesh meets judges it (RFC 5280 section 6.1.4). */
import type { X509Certificate } from "node:crypto";
import { type CertificateProfile, certificateProfile, EXTENSION } from "./certificate-profile.ts";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
/** Helps to find certificates and never decides; RFC 5280 (sections 4.2.1.1 and 4.2.1.2) forbids to call it critical. */
const NEVER_CRITICAL: readonly string[] = [
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.authorityKeyIdentifier,
];
/** What OpenSSL processes; a critical extension of any other kind makes it refuse the chain. */
const PROCESSED: ReadonlySet<string> = new Set(
  Object.values(EXTENSION).filter((name) => !NEVER_CRITICAL.includes(name)),
);

/**
 * What forbids a certificate to sign, in words that follow its name: "is not a CA's".
 *
 * @param options.authoritiesBelow how many other authorities stand between it and the leaf
 * @throws InvalidDerError
 */
export function signerProblems(
  certificate: X509Certificate,
  { authoritiesBelow }: { readonly authoritiesBelow: number },
): readonly string[] {
  const profile = certificateProfile(certificate);
  if (!profile.isAuthority) return ["is not a CA's: its basicConstraints must say CA:TRUE"];
  return [
    ...usageProblems(profile),
    ...pathLengthProblems(profile, authoritiesBelow),
    ...extensionProblems(profile),
  ];
}

function usageProblems({ usage, extendedUsage }: CertificateProfile): readonly string[] {
  const problems: string[] = [];
  if (usage.isStated && !usage.certificateSign)
    problems.push("may not sign certificates: its keyUsage lacks keyCertSign");
  if (
    extendedUsage !== undefined &&
    !(extendedUsage.has(SERVER_AUTH) && extendedUsage.has(CLIENT_AUTH))
  )
    problems.push(
      "may not sign for workloads: its extendedKeyUsage must hold serverAuth and clientAuth, or be left out",
    );
  return problems;
}

function pathLengthProblems(
  { pathLength }: CertificateProfile,
  authoritiesBelow: number,
): readonly string[] {
  if (pathLength === undefined || pathLength >= authoritiesBelow) return [];
  return [
    `allows at most ${pathLength} authorities below it (pathlen:${pathLength}), and there ${authoritiesBelow === 1 ? "is 1" : `are ${authoritiesBelow}`}`,
  ];
}

/** RFC 5280 section 4.2, for every certificate of a chain. */
export function extensionProblems({ critical }: CertificateProfile): readonly string[] {
  return [...critical]
    .filter((name) => !PROCESSED.has(name))
    .map((name) =>
      NEVER_CRITICAL.includes(name)
        ? `calls a key identifier critical, which RFC 5280 forbids: ${name}`
        : `has a critical extension that nobody here understands: ${name}`,
    );
}
