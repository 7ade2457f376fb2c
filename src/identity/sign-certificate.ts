/** Writes and signs X.509 v3 certificates (RFC 5280). The one place where DER certificates come from. */
import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { readCertificateExtensions, subjectKeyIdentifier } from "./certificate-extensions.ts";
import { formatPem } from "./pem.ts";
import { signatureOfKey } from "./signature-algorithm.ts";

const ORGANIZATION = "2.5.4.10";
const KEY_IDENTIFIER_BYTES = 20;

/** A certificate that lacks what it takes to sign others. */
export class UnusableIssuerError extends HauberkError {
  readonly code = "HAUBERK_UNUSABLE_ISSUER";
}

export interface AlternativeNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export interface CertificateTemplate {
  readonly publicKey: KeyObject;
  readonly names: AlternativeNames;
  /** Big-endian; made positive and minimal here. */
  readonly serialNumber: Uint8Array;
  /** Whole seconds; finer parts are cut. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Who signs; made by `issuerOf`. */
export interface Issuer {
  readonly name: Name;
  readonly keyIdentifier: Uint8Array;
  readonly privateKey: KeyObject;
}

/**
 * @param certificate the authority's
 * @throws UnusableIssuerError if its name cannot be written back byte for byte
 */
export function issuerOf(certificate: X509Certificate, privateKey: KeyObject): Issuer {
  const stated = subjectKeyIdentifier(readCertificateExtensions(certificate.raw));
  return {
    name: subjectOf(certificate),
    keyIdentifier: stated ?? keyIdentifier(certificate.publicKey),
    privateKey,
  };
}

/**
 * A leaf for TLS servers and clients: empty subject, critical names (CA-15), the usages of CA-16, and key identifiers
 * so that strict verifiers accept it.
 *
 * @returns PEM
 */
export function signLeafCertificate(template: CertificateTemplate, issuer: Issuer): string {
  const extensions = [
    critical(id_ce_keyUsage, leafUsage()),
    uncritical(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth])),
    critical(id_ce_basicConstraints, new BasicConstraints({ cA: false })),
    subjectKey(template.publicKey),
    authorityKey(issuer.keyIdentifier),
    new Extension({
      extnID: id_ce_subjectAltName,
      critical: true,
      extnValue: encodeAlternativeNames(template.names),
    }),
  ];
  return signCertificate({
    ...template,
    issuerName: issuer.name,
    subject: new Name(),
    extensions,
    privateKey: issuer.privateKey,
  });
}

/**
 * A self-signed authority (CA-20).
 *
 * @returns PEM
 */
export function signAuthorityCertificate(
  template: Omit<CertificateTemplate, "names" | "publicKey">,
  { organization, privateKey }: { readonly organization: string; readonly privateKey: KeyObject },
): string {
  const publicKey = createPublicKey(privateKey);
  const name = organizationName(organization);
  const usage = new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  const extensions = [
    critical(id_ce_keyUsage, usage),
    critical(id_ce_basicConstraints, new BasicConstraints({ cA: true })),
    subjectKey(publicKey),
    authorityKey(keyIdentifier(publicKey)),
  ];
  return signCertificate({
    ...template,
    publicKey,
    issuerName: name,
    subject: name,
    extensions,
    privateKey,
  });
}

export function encodeAlternativeNames(names: AlternativeNames): OctetString {
  const list = new SubjectAlternativeName([
    ...names.uris.map((uri) => new GeneralName({ uniformResourceIdentifier: uri })),
    ...names.dnsNames.map((name) => new GeneralName({ dNSName: name })),
    ...names.ipAddresses.map((address) => new GeneralName({ iPAddress: address })),
  ]);
  return encoded(list);
}

function signCertificate(parts: {
  readonly serialNumber: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly issuerName: Name;
  readonly subject: Name;
  readonly extensions: Extension[];
  readonly privateKey: KeyObject;
}): string {
  const { hash, encoded: algorithmDer } = signatureOfKey(parts.privateKey);
  const algorithm = AsnConvert.parse(algorithmDer, AlgorithmIdentifier);
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: positiveInteger(parts.serialNumber),
    signature: algorithm,
    issuer: parts.issuerName,
    validity: new Validity({ notBefore: parts.notBefore, notAfter: parts.notAfter }),
    subject: parts.subject,
    subjectPublicKeyInfo: AsnConvert.parse(publicKeyInfo(parts.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions(parts.extensions),
  });
  const signature = sign(hash, Buffer.from(AsnConvert.serialize(body)), parts.privateKey);
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: arrayBuffer(signature),
  });
  return formatPem("CERTIFICATE", new Uint8Array(AsnConvert.serialize(certificate)));
}

function critical(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, critical: true, extnValue: encoded(value) });
}

function uncritical(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, critical: false, extnValue: encoded(value) });
}

function encoded(value: unknown): OctetString {
  return new OctetString(AsnConvert.serialize(value));
}

function leafUsage(): KeyUsage {
  return new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment);
}

function subjectKey(publicKey: KeyObject): Extension {
  const value = new SubjectKeyIdentifier(keyIdentifier(publicKey));
  return uncritical(id_ce_subjectKeyIdentifier, value);
}

function authorityKey(identifier: Uint8Array): Extension {
  const value = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(identifier) });
  return uncritical(id_ce_authorityKeyIdentifier, value);
}

/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(publicKey: KeyObject): Uint8Array {
  const { subjectPublicKey } = AsnConvert.parse(publicKeyInfo(publicKey), SubjectPublicKeyInfo);
  const digest = createHash("sha256").update(new Uint8Array(subjectPublicKey)).digest();
  return digest.subarray(0, KEY_IDENTIFIER_BYTES);
}

function subjectOf(certificate: X509Certificate): Name {
  const { subject } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  if (!certificate.raw.includes(Buffer.from(AsnConvert.serialize(subject))))
    throw new UnusableIssuerError("the authority's name has an encoding that is not supported");
  return subject;
}

function organizationName(organization: string): Name {
  const value = new AttributeValue({ utf8String: organization });
  const attribute = new AttributeTypeAndValue({ type: ORGANIZATION, value });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function publicKeyInfo(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

function positiveInteger(bytes: Uint8Array): ArrayBuffer {
  const firstUsed = bytes.findIndex((byte) => byte !== 0);
  const minimal = firstUsed < 0 ? Uint8Array.of(1) : bytes.subarray(firstUsed);
  const isNegative = (minimal[0] ?? 0) >= 0x80;
  return arrayBuffer(isNegative ? Buffer.concat([Buffer.of(0), minimal]) : minimal);
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
