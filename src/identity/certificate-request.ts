/**
 * PKCS#10 (RFC 2986): made beside the workload, where its key stays; checked by the authority, which believes only
 * the key in it. Subject and names are never taken over (CA-8).
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Attribute,
  Extension,
  Extensions,
  Name,
  SubjectPublicKeyInfo,
} from "@peculiar/asn1-x509";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  type AlternativeName,
  alternativeNames,
  readExtensions,
} from "./certificate-extensions.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  readBitString,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";
import { formatPem, readPem } from "./pem.ts";
import { type AcceptedKeyType, acceptedKeyType } from "./public-key.ts";
import { encodeAlternativeNames } from "./sign-certificate.ts";
import { hashOfSignature, signatureOfKey } from "./signature-algorithm.ts";

const LABEL = "CERTIFICATE REQUEST";
const MAX_PEM_CHARACTERS = 16_384;
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const ATTRIBUTES_TAG = 0xa0;

/** A certificate request that is not well formed, or whose signature does not verify. */
export class InvalidCertificateRequestError extends HauberkError {
  readonly code = "HAUBERK_INVALID_CERTIFICATE_REQUEST";
}

/** A request whose signature proves that the sender holds the key. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  readonly keyType: AcceptedKeyType;
  /** Names it asks for; only to be compared and logged, never to be issued (CA-8). */
  readonly requestedNames: readonly AlternativeName[];
}

/**
 * A new P-256 key pair and a request for it.
 *
 * @param options.uris names to ask for; an authority that follows CA-8 ignores them
 */
export function createCertificateRequest(options: { readonly uris?: readonly string[] } = {}): {
  csrPem: string;
  privateKeyPem: string;
} {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const csrPem = composeCertificateRequest(createPrivateKey(privateKey), options.uris ?? []);
  return { csrPem, privateKeyPem: privateKey };
}

/**
 * Checks a stranger's request: size, strict DER, kind of key, signature (QK-32, QK-33).
 *
 * @throws InvalidCertificateRequestError with the reason
 */
export function parseCertificateRequest(pem: string): CertificateRequest {
  try {
    const [der, ...others] = readPem(pem, {
      labels: [LABEL, `NEW ${LABEL}`],
      maxCharacters: MAX_PEM_CHARACTERS,
    });
    if (der === undefined || others.length > 0)
      throw new InvalidCertificateRequestError("there is more than one request");
    return readRequest(der);
  } catch (cause) {
    if (cause instanceof InvalidCertificateRequestError) throw cause;
    throw new InvalidCertificateRequestError("the certificate request is refused", { cause });
  }
}

function readRequest(der: Buffer): CertificateRequest {
  const [info, algorithm, signature, ...rest] = readChildren(readDer(der), DER_TAG.sequence);
  if (rest.length > 0) throw new InvalidCertificateRequestError("the request has too many fields");
  const [version, subject, keyInfo, attributes, ...more] = readChildren(info, DER_TAG.sequence);
  if (!expectTag(version, DER_TAG.integer).contents.equals(Buffer.of(0)))
    throw new InvalidCertificateRequestError("the request is not of version 1");
  if (more.length > 0) throw new InvalidCertificateRequestError("the request has too many fields");
  readChildren(subject, DER_TAG.sequence);
  const keyType = acceptedKeyType(expectTag(keyInfo, DER_TAG.sequence).encoded);
  const publicKey = createPublicKey({
    key: expectTag(keyInfo, DER_TAG.sequence).encoded,
    format: "der",
    type: "spki",
  });
  verifySignature(expectTag(info, DER_TAG.sequence).encoded, {
    algorithm,
    signature: readBitString(signature),
    publicKey,
    keyType,
  });
  return { publicKey, keyType, requestedNames: readRequestedNames(attributes) };
}

function verifySignature(
  signed: Buffer,
  proof: {
    readonly algorithm: DerElement | undefined;
    readonly signature: Buffer;
    readonly publicKey: KeyObject;
    readonly keyType: AcceptedKeyType;
  },
): void {
  const { encoded } = expectTag(proof.algorithm, DER_TAG.sequence);
  const hash = hashOfSignature(encoded, proof.keyType);
  if (hash === undefined)
    throw new InvalidCertificateRequestError("its signature algorithm is not accepted");
  if (!verify(hash, signed, proof.publicKey, proof.signature))
    throw new InvalidCertificateRequestError("its signature does not verify");
}

function readRequestedNames(attributes: DerElement | undefined): AlternativeName[] {
  if (attributes === undefined) return [];
  const requests = readChildren(attributes, ATTRIBUTES_TAG)
    .map((attribute) => readChildren(attribute, DER_TAG.sequence))
    .filter(([type]) => readObjectIdentifier(type) === EXTENSION_REQUEST);
  if (requests.length > 1)
    throw new InvalidCertificateRequestError("the request asks for extensions twice");
  const [request] = requests;
  if (request === undefined) return [];
  const [list, ...others] = readChildren(request[1], DER_TAG.set);
  if (others.length > 0)
    throw new InvalidCertificateRequestError("the request asks for extensions twice");
  return alternativeNames(readExtensions(list));
}

function composeCertificateRequest(privateKey: KeyObject, uris: readonly string[]): string {
  const publicKeyDer = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const info = new CertificationRequestInfo({
    version: 0,
    subject: new Name(),
    subjectPKInfo: AsnConvert.parse(publicKeyDer, SubjectPublicKeyInfo),
    attributes: new Attributes(uris.length === 0 ? [] : [extensionRequest(uris)]),
  });
  const { hash, encoded } = signatureOfKey(privateKey);
  const signature = sign(hash, Buffer.from(AsnConvert.serialize(info)), privateKey);
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: AsnConvert.parse(encoded, AlgorithmIdentifier),
    signature: new Uint8Array(signature).buffer,
  });
  return formatPem(LABEL, new Uint8Array(AsnConvert.serialize(request)));
}

function extensionRequest(uris: readonly string[]): Attribute {
  const names = new Extension({
    extnID: SUBJECT_ALTERNATIVE_NAME,
    critical: true,
    extnValue: encodeAlternativeNames({ uris, dnsNames: [], ipAddresses: [] }),
  });
  return new Attribute({
    type: EXTENSION_REQUEST,
    values: [AsnConvert.serialize(new Extensions([names]))],
  });
}
