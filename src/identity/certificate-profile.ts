/**
 * What a certificate says of itself, read from its DER. Node's own `ca` is true only where the key usage agrees, so a
 * leaf that calls itself an authority would pass as a leaf: here each field stands alone.
 */
import type { X509Certificate } from "node:crypto";
import { type Extensions, hasKeyUsage, readExtensions } from "./certificate-extensions.ts";
import { verifyCertificateForm } from "./certificate-form.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";

export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extendedKeyUsage: "2.5.29.37",
  inhibitAnyPolicy: "2.5.29.54",
} as const;

const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

export interface CertificateProfile {
  /** 1, 2 or 3. */
  readonly version: number;
  /** Contents of the INTEGER: big-endian, two's complement. */
  readonly serialNumber: Buffer;
  /** DER of the AlgorithmIdentifier that it is signed with. */
  readonly signatureAlgorithm: Buffer;
  /** DER of the Name. */
  readonly issuer: Buffer;
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly extensions: Extensions;
  /** Object identifiers of the extensions that a reader must understand. */
  readonly critical: ReadonlySet<string>;
  readonly isAuthority: boolean;
  /** How many further authorities may stand below it. */
  readonly pathLength: number | undefined;
  readonly usage: {
    readonly isStated: boolean;
    readonly digitalSignature: boolean;
    readonly certificateSign: boolean;
    readonly crlSign: boolean;
  };
  /** Object identifiers; undefined where it may be used for anything. */
  readonly extendedUsage: ReadonlySet<string> | undefined;
}

/** Certificates do not change, and are asked about with every connection. */
const known = new WeakMap<X509Certificate, CertificateProfile>();

/** @throws InvalidDerError */
export function certificateProfile(certificate: X509Certificate): CertificateProfile {
  const cached = known.get(certificate);
  if (cached !== undefined) return cached;
  const profile = readProfile(certificate.raw);
  known.set(certificate, profile);
  return profile;
}

function readProfile(der: Buffer): CertificateProfile {
  verifyCertificateForm(der);
  const [body, algorithm] = readChildren(readDer(der), DER_TAG.sequence);
  const fields = readChildren(body, DER_TAG.sequence);
  const version = fields[0]?.tag === VERSION_TAG ? readVersion(fields[0]) : 1;
  const [serialNumber, inner, issuer, , subject] =
    fields[0]?.tag === VERSION_TAG ? fields.slice(1) : fields;
  const signatureAlgorithm = expectTag(algorithm, DER_TAG.sequence).encoded;
  if (!expectTag(inner, DER_TAG.sequence).encoded.equals(signatureAlgorithm))
    throw new InvalidDerError("its two signature algorithms differ");
  const list = extensionList(fields.find(({ tag }) => tag === EXTENSIONS_TAG));
  const extensions: Extensions = list === undefined ? new Map() : readExtensions(list);
  return {
    version,
    serialNumber: expectTag(serialNumber, DER_TAG.integer).contents,
    signatureAlgorithm,
    issuer: expectTag(issuer, DER_TAG.sequence).encoded,
    subject: expectTag(subject, DER_TAG.sequence).encoded,
    extensions,
    critical: criticalOf(list),
    ...readBasicConstraints(extensions.get(EXTENSION.basicConstraints)),
    usage: {
      isStated: extensions.has(EXTENSION.keyUsage),
      digitalSignature: hasKeyUsage(extensions, "digitalSignature"),
      certificateSign: hasKeyUsage(extensions, "certificateSign"),
      crlSign: hasKeyUsage(extensions, "crlSign"),
    },
    extendedUsage: readExtendedUsage(extensions.get(EXTENSION.extendedKeyUsage)),
  };
}

function readVersion(wrapped: DerElement): number {
  const [version] = readChildren(wrapped, VERSION_TAG);
  return (expectTag(version, DER_TAG.integer).contents[0] ?? 0) + 1;
}

function extensionList(wrapped: DerElement | undefined): DerElement | undefined {
  return wrapped === undefined ? undefined : readChildren(wrapped, EXTENSIONS_TAG)[0];
}

/** DER leaves out what is false, so a stated flag is true; one that says false is taken at its word. */
function criticalOf(list: DerElement | undefined): ReadonlySet<string> {
  if (list === undefined) return new Set();
  const critical = readChildren(list, DER_TAG.sequence)
    .map((extension) => readChildren(extension, DER_TAG.sequence))
    .filter(([, flag]) => flag?.tag === DER_TAG.boolean && flag.contents[0] !== 0);
  return new Set(critical.map(([name]) => readObjectIdentifier(name)));
}

function readBasicConstraints(
  contents: Buffer | undefined,
): Pick<CertificateProfile, "isAuthority" | "pathLength"> {
  if (contents === undefined) return { isAuthority: false, pathLength: undefined };
  const fields = readChildren(readDer(contents), DER_TAG.sequence);
  const flag = fields.find(({ tag }) => tag === DER_TAG.boolean);
  const length = fields.find(({ tag }) => tag === DER_TAG.integer);
  return {
    isAuthority: flag !== undefined && flag.contents[0] !== 0,
    pathLength: length === undefined ? undefined : readSmallInteger(length.contents),
  };
}

function readSmallInteger(contents: Buffer): number {
  if (contents.length === 0 || contents.length > 4 || (contents[0] ?? 0) >= 0x80)
    throw new InvalidDerError("a path length is out of range");
  return contents.readUIntBE(0, contents.length);
}

function readExtendedUsage(contents: Buffer | undefined): ReadonlySet<string> | undefined {
  if (contents === undefined) return undefined;
  const names = readChildren(readDer(contents), DER_TAG.sequence);
  return new Set(names.map((name) => readObjectIdentifier(name)));
}
