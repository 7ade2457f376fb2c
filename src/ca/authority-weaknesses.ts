/**
 * What strict verifiers (`openssl verify -x509_strict`, Go) refuse or dislike in an authority, though every peer of a mesh
 * accepts it: for people to read before somebody stricter meets the certificates.
 */
import type { X509Certificate } from "node:crypto";
import {
  authorityKeyIdentifier,
  subjectKeyIdentifier,
} from "../identity/certificate-extensions.ts";
import {
  type CertificateProfile,
  certificateProfile,
  EXTENSION,
} from "../identity/certificate-profile.ts";
import { nameText } from "../identity/name-text.ts";
import { describeError } from "../runtime/hauberk-error.ts";

/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_BYTES = 20;
const ORGANIZATION = /^O=./m;
/** sha1WithRSAEncryption and ecdsa-with-SHA1, md5WithRSAEncryption, as DER of their object identifiers. */
const BROKEN_HASHES: readonly (readonly [hash: string, oid: string])[] = [
  ["SHA-1", "06092a864886f70d010105"],
  ["SHA-1", "06072a8648ce3d0401"],
  ["MD5", "06092a864886f70d010104"],
];

interface Link {
  readonly certificate: X509Certificate;
  readonly profile: CertificateProfile;
  /** Undefined for the last of the chain. */
  readonly issuer: X509Certificate | undefined;
}

type Rule = (link: Link) => string | false | undefined;

/** Each goes on after the certificate's name. */
const RULES: readonly Rule[] = [
  ({ profile }) =>
    profile.version < 3 &&
    `is of version ${profile.version}, which has no extensions: strict verifiers take it for no CA`,
  ({ profile }) =>
    profile.isAuthority &&
    !profile.critical.has(EXTENSION.basicConstraints) &&
    "has basicConstraints that are not critical, so a strict verifier refuses it (RFC 5280, 4.2.1.9)",
  ({ profile }) =>
    !profile.usage.isStated &&
    "has no keyUsage, so a strict verifier refuses it (RFC 5280, 4.2.1.3)",
  ({ profile }) =>
    profile.usage.isStated &&
    !profile.critical.has(EXTENSION.keyUsage) &&
    "has a keyUsage that is not critical, as it should be (RFC 5280, 4.2.1.3)",
  ({ profile: { usage } }) =>
    usage.isStated &&
    !usage.crlSign &&
    "can sign no revocation list, since its keyUsage lacks cRLSign",
  ({ profile }) =>
    subjectKeyIdentifier(profile.extensions) === undefined &&
    "has no subjectKeyIdentifier, so a strict verifier refuses it (RFC 5280, 4.2.1.2)",
  ({ profile, issuer }) =>
    issuer !== undefined &&
    authorityKeyIdentifier(profile.extensions) === undefined &&
    "has no authorityKeyIdentifier, so a strict verifier refuses it (RFC 5280, 4.2.1.1)",
  ({ profile }) => criticalIdentifier(profile),
  ({ profile }) => serialProblem(profile.serialNumber),
  ({ profile }) => brokenHash(profile.signatureAlgorithm),
  ({ certificate, issuer }) =>
    issuer !== undefined &&
    new Date(certificate.validTo) > new Date(issuer.validTo) &&
    `is valid longer than its issuer ${nameText(issuer.subject)}, which ends at ${new Date(issuer.validTo).toISOString()}`,
  ({ certificate }) => nameProblem(certificate),
  ({ profile }) =>
    profile.extensions.has(EXTENSION.nameConstraints) &&
    "has nameConstraints: workloads are refused whose identities they do not permit",
  ({ profile }) =>
    profile.extendedUsage !== undefined &&
    "has an extendedKeyUsage, which some verifiers ask to be held by every certificate below it",
];

/**
 * @param chain the signing certificate first, the root last
 * @returns one sentence each; none for an authority of our own making
 */
export function findWeaknesses(chain: readonly X509Certificate[]): readonly string[] {
  return chain.flatMap((certificate, index) => {
    const name = nameText(certificate.subject);
    return problemsOf(certificate, chain[index + 1]).map((problem) => `${name} ${problem}`);
  });
}

function problemsOf(
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
): readonly string[] {
  try {
    const link = { certificate, profile: certificateProfile(certificate), issuer };
    return RULES.map((rule) => rule(link)).filter((problem) => typeof problem === "string");
  } catch (error) {
    return [`cannot be read strictly: ${describeError(error)}`];
  }
}

function criticalIdentifier({ critical }: CertificateProfile): string | false {
  const identifiers = [EXTENSION.subjectKeyIdentifier, EXTENSION.authorityKeyIdentifier];
  return (
    identifiers.some((name) => critical.has(name)) &&
    "has a key identifier that is critical, which a strict verifier refuses (RFC 5280, 4.2.1.1)"
  );
}

function serialProblem(serial: Buffer): string | false {
  if (serial.every((byte) => byte === 0))
    return "has the serial number 0, which must be positive (RFC 5280, 4.1.2.2)";
  if ((serial[0] ?? 0) >= 0x80)
    return "has a negative serial number, which Go refuses to read (RFC 5280, 4.1.2.2)";
  return (
    serial.length > MAX_SERIAL_BYTES &&
    `has a serial number of ${serial.length} bytes: at most ${MAX_SERIAL_BYTES} are allowed (RFC 5280, 4.1.2.2)`
  );
}

function brokenHash(algorithm: Buffer): string | false {
  const text = algorithm.toString("hex");
  const broken = BROKEN_HASHES.find(([, oid]) => text.slice(4).startsWith(oid));
  return broken !== undefined && `is signed with ${broken[0]}, which nobody should trust any more`;
}

function nameProblem({ subject }: X509Certificate): string | false {
  // Node gives no text at all for an empty name.
  const text: string | undefined = subject;
  if (text === undefined || text === "")
    return "has an empty subject, which no CA may have (RFC 5280, 4.1.2.6)";
  return (
    !ORGANIZATION.test(text) && "has no organization in its subject, which Istio's tools expect"
  );
}
