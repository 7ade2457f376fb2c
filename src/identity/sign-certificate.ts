/**
 * Writes and signs X.509 v3 certificates (RFC 5280). The one place where DER certificates come from: the typed library
 * encodes the parts, once an issuer what never changes, and they are joined here.
 */
import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  Extension,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  Validity,
} from "@peculiar/asn1-x509";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { readCertificateExtensions, subjectKeyIdentifier } from "./certificate-extensions.ts";
import { DER_TAG, expectTag, readBitString, readChildren, readDer } from "./der.ts";
import { formatPem } from "./pem.ts";
import { publicKeyInfoOf } from "./public-key.ts";
import { serialNumberContents } from "./serial-number.ts";
import { type SignatureHash, signatureOfKey } from "./signature-algorithm.ts";
import { writeDer } from "./write-der.ts";

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const KEY_IDENTIFIER_BYTES = 20;
const VERSION_3 = Buffer.from("a003020102", "hex");
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const URI_TAG = 0x86;
const DNS_TAG = 0x82;
/** `subject` in a certificate's body with a version (RFC 5280 section 4.1). */
const SUBJECT_PLACE = 5;

const signOffLoop = promisify(sign);

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
  /** Absent: the subject is empty. */
  readonly commonName?: string | undefined;
  /** Big-endian; made positive and minimal here. */
  readonly serialNumber: Uint8Array;
  /** Whole seconds; finer parts are cut. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Who signs, and the DER of what is alike in all its certificates; made by `issuerOf`. */
export interface Issuer {
  readonly privateKey: KeyObject;
  readonly hash: SignatureHash;
  readonly algorithm: Buffer;
  readonly name: Buffer;
  readonly authorityKey: Buffer;
}

/**
 * @param certificate the authority's; its name and key identifier are taken over byte for byte
 * @throws UnusableIssuerError if it is no strict DER
 * @throws UnsupportedSigningKeyError
 */
export function issuerOf(certificate: X509Certificate, privateKey: KeyObject): Issuer {
  const { hash, encoded: algorithm } = signatureOfKey(privateKey);
  try {
    const identifier = issuerKeyIdentifier(certificate);
    const name = subjectOf(certificate.raw);
    return { privateKey, hash, algorithm, name, authorityKey: authorityKey(identifier) };
  } catch (cause) {
    throw new UnusableIssuerError("the authority's certificate cannot be read", { cause });
  }
}

/**
 * What certificates state of the key that signed them: the authority's own subject key identifier, or one made of its key.
 *
 * @throws InvalidDerError
 */
export function issuerKeyIdentifier(certificate: X509Certificate): Uint8Array {
  const stated = subjectKeyIdentifier(readCertificateExtensions(certificate.raw));
  return stated ?? keyIdentifier(publicKeyInfoOf(certificate.publicKey));
}

const LEAF_EXTENSIONS: readonly Buffer[] = [
  extension(id_ce_keyUsage, "critical", leafUsage()),
  extension(
    id_ce_extKeyUsage,
    "uncritical",
    new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth]),
  ),
  extension(id_ce_basicConstraints, "critical", new BasicConstraints({ cA: false })),
];

/** The object identifier of alternative names, and that they are critical. */
const BEFORE_NAMES = Buffer.from("0603551d110101ff", "hex");

/** A subject key identifier's extension, but for the identifier at its end. */
const BEFORE_SUBJECT_KEY = extension(
  id_ce_subjectKeyIdentifier,
  "uncritical",
  new SubjectKeyIdentifier(Buffer.alloc(KEY_IDENTIFIER_BYTES)),
).subarray(0, -KEY_IDENTIFIER_BYTES);

/**
 * A leaf for TLS servers and clients: critical names (CA-15), the usages of CA-16, and key identifiers so that strict
 * verifiers accept it.
 *
 * @returns PEM
 */
export function signLeafCertificate(template: CertificateTemplate, issuer: Issuer): string {
  const body = leafBody(template, issuer);
  return certificatePem(body, { issuer, signature: sign(issuer.hash, body, issuer.privateKey) });
}

/** As `signLeafCertificate`; a signature that takes long is made in the thread pool while the event loop goes on. */
export async function signLeafCertificateOffLoop(
  template: CertificateTemplate,
  issuer: Issuer,
): Promise<string> {
  const body = leafBody(template, issuer);
  const signBody = isQuick(issuer.privateKey) ? sign : signOffLoop;
  const signature = await signBody(issuer.hash, body, issuer.privateKey);
  return certificatePem(body, { issuer, signature });
}

/**
 * A self-signed authority (CA-20).
 *
 * @returns PEM
 */
export function signAuthorityCertificate(
  template: Omit<CertificateTemplate, "names" | "publicKey" | "commonName">,
  { organization, privateKey }: { readonly organization: string; readonly privateKey: KeyObject },
): string {
  const publicKey = createPublicKey(privateKey);
  const identifier = keyIdentifier(publicKeyInfoOf(publicKey));
  const { hash, encoded: algorithm } = signatureOfKey(privateKey);
  const name = nameOf(ORGANIZATION, organization);
  const issuer = { privateKey, hash, algorithm, name, authorityKey: authorityKey(identifier) };
  const usage = new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  const body = certificateBody(
    { ...template, publicKey, subject: name },
    {
      issuer,
      extensions: [
        extension(id_ce_keyUsage, "critical", usage),
        extension(id_ce_basicConstraints, "critical", new BasicConstraints({ cA: true })),
        subjectKey(identifier),
        issuer.authorityKey,
      ],
    },
  );
  return certificatePem(body, { issuer, signature: sign(hash, body, privateKey) });
}

/** A SubjectAltName (RFC 5280 section 4.2.1.6), in DER. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer {
  return writeDer(
    DER_TAG.sequence,
    ...names.uris.map((uri) => writeDer(URI_TAG, Buffer.from(uri, "latin1"))),
    ...names.dnsNames.map((name) => writeDer(DNS_TAG, Buffer.from(name, "latin1"))),
    ...names.ipAddresses.map((address) => encoded(new GeneralName({ iPAddress: address }))),
  );
}

/** P-256: signed in less than the way to the thread pool and back takes. */
function isQuick(privateKey: KeyObject): boolean {
  return privateKey.asymmetricKeyDetails?.namedCurve === "prime256v1";
}

function leafBody(template: CertificateTemplate, issuer: Issuer): Buffer {
  const names = writeDer(DER_TAG.octetString, encodeAlternativeNames(template.names));
  const { commonName } = template;
  const subject =
    commonName === undefined ? writeDer(DER_TAG.sequence) : nameOf(COMMON_NAME, commonName);
  const extensions = [
    ...LEAF_EXTENSIONS,
    subjectKey(keyIdentifier(publicKeyInfoOf(template.publicKey))),
    issuer.authorityKey,
    writeDer(DER_TAG.sequence, BEFORE_NAMES, names),
  ];
  return certificateBody({ ...template, subject }, { issuer, extensions });
}

function certificateBody(
  template: Omit<CertificateTemplate, "names"> & { readonly subject: Buffer },
  { issuer, extensions }: { readonly issuer: Issuer; readonly extensions: readonly Buffer[] },
): Buffer {
  const { notBefore, notAfter } = template;
  return writeDer(
    DER_TAG.sequence,
    VERSION_3,
    writeDer(DER_TAG.integer, serialNumberContents(template.serialNumber)),
    issuer.algorithm,
    issuer.name,
    validityOf(notBefore, notAfter),
    template.subject,
    publicKeyInfoOf(template.publicKey),
    writeDer(EXTENSIONS_TAG, writeDer(DER_TAG.sequence, ...extensions)),
  );
}

let lastValidity: { notBefore: number; notAfter: number; encoded: Buffer } = {
  notBefore: Number.NaN,
  notAfter: Number.NaN,
  encoded: Buffer.alloc(0),
};

/** Those who ask in the same second mostly get the same. */
function validityOf(notBefore: Date, notAfter: Date): Buffer {
  const [start, end] = [notBefore.getTime(), notAfter.getTime()];
  if (lastValidity.notBefore !== start || lastValidity.notAfter !== end) {
    const der = encoded(new Validity({ notBefore, notAfter }));
    lastValidity = { notBefore: start, notAfter: end, encoded: der };
  }
  return lastValidity.encoded;
}

function certificatePem(
  body: Buffer,
  { issuer, signature }: { readonly issuer: Issuer; readonly signature: Buffer },
): string {
  const bits = writeDer(DER_TAG.bitString, Buffer.of(0), signature);
  return formatPem("CERTIFICATE", writeDer(DER_TAG.sequence, body, issuer.algorithm, bits));
}

function extension(extnID: string, criticality: "critical" | "uncritical", value: unknown): Buffer {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return encoded(new Extension({ extnID, critical: criticality === "critical", extnValue }));
}

function encoded(value: unknown): Buffer {
  return Buffer.from(AsnConvert.serialize(value));
}

function leafUsage(): KeyUsage {
  return new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment);
}

function subjectKey(identifier: Uint8Array): Buffer {
  return Buffer.concat([BEFORE_SUBJECT_KEY, identifier]);
}

function authorityKey(identifier: Uint8Array): Buffer {
  const value = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(identifier) });
  return extension(id_ce_authorityKeyIdentifier, "uncritical", value);
}

/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(publicKeyInfo: Buffer): Uint8Array {
  const [, bits] = readChildren(readDer(publicKeyInfo), DER_TAG.sequence);
  const digest = createHash("sha256").update(readBitString(bits)).digest();
  return digest.subarray(0, KEY_IDENTIFIER_BYTES);
}

function subjectOf(certificate: Buffer): Buffer {
  const [body] = readChildren(readDer(certificate), DER_TAG.sequence);
  const fields = readChildren(body, DER_TAG.sequence);
  expectTag(fields[0], VERSION_TAG);
  return expectTag(fields[SUBJECT_PLACE], DER_TAG.sequence).encoded;
}

function nameOf(type: string, text: string): Buffer {
  const value = new AttributeValue({ utf8String: text });
  const attribute = new AttributeTypeAndValue({ type, value });
  return encoded(new Name([new RelativeDistinguishedName([attribute])]));
}
