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
import { promisify } from "node:util";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Attribute,
  Extension,
  Extensions,
  Name,
  SubjectPublicKeyInfo,
} from "@peculiar/asn1-x509";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { alternativeNames, readExtensions } from "./certificate-extensions.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  readBitString,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";
import type { AlternativeName } from "./general-name.ts";
import { formatPem, readPem } from "./pem.ts";
import { type AcceptedKeyType, parsePublicKey } from "./public-key.ts";
import { encodeAlternativeNames } from "./sign-certificate.ts";
import { hashOfSignature, type SignatureHash, signatureOfKey } from "./signature-algorithm.ts";
import { verifyStrictDer } from "./strict-der.ts";
import { hasCommonName } from "./subject-name.ts";

const LABEL = "CERTIFICATE REQUEST";
const MAX_PEM_CHARACTERS = 16_384;
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const ATTRIBUTES_TAG = 0xa0;

const verifyOffLoop = promisify(verify);

/** A certificate request that is not well formed, or whose signature does not verify. */
export class InvalidCertificateRequestError extends HauberkError {
  readonly code = "HAUBERK_INVALID_CERTIFICATE_REQUEST";
}

/** A request whose signature proves that the sender holds the key. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  readonly keyType: AcceptedKeyType;
  /** Whether its subject has a common name (CA-8); which one never counts. */
  readonly hasCommonName: boolean;
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
    const { request, signed, proof } = readRequest(pem);
    return proven(request, verify(proof.hash, signed, request.publicKey, proof.signature));
  } catch (cause) {
    throw refusal(cause);
  }
}

/**
 * As `parseCertificateRequest`; a signature that takes long is verified in the thread pool while the event loop goes on.
 *
 * @throws InvalidCertificateRequestError with the reason
 */
export async function parseCertificateRequestOffLoop(pem: string): Promise<CertificateRequest> {
  try {
    const { request, signed, proof } = readRequest(pem);
    // P-256 takes little longer than the way to the thread pool and back, which costs all threads together more.
    const verifyProof = request.keyType === "P-256" ? verify : verifyOffLoop;
    return proven(
      request,
      await verifyProof(proof.hash, signed, request.publicKey, proof.signature),
    );
  } catch (cause) {
    throw refusal(cause);
  }
}

function proven(request: CertificateRequest, holds: boolean): CertificateRequest {
  if (!holds) throw new InvalidCertificateRequestError("its signature does not verify");
  return request;
}

function refusal(cause: unknown): InvalidCertificateRequestError {
  if (cause instanceof InvalidCertificateRequestError) return cause;
  return new InvalidCertificateRequestError("the certificate request is refused", { cause });
}

/** Not to be believed before `proof` holds over `signed`. */
interface UnprovenRequest {
  readonly request: CertificateRequest;
  readonly signed: Buffer;
  readonly proof: { readonly hash: SignatureHash; readonly signature: Buffer };
}

function readRequest(pem: string): UnprovenRequest {
  const [der, ...others] = readPem(pem, {
    labels: [LABEL, `NEW ${LABEL}`],
    maxCharacters: MAX_PEM_CHARACTERS,
  });
  if (der === undefined || others.length > 0)
    throw new InvalidCertificateRequestError("there is more than one request");
  const whole = readDer(der);
  verifyStrictDer(whole);
  const [info, algorithm, signature, ...rest] = readChildren(whole, DER_TAG.sequence);
  if (rest.length > 0) throw new InvalidCertificateRequestError("the request has too many fields");
  const request = readInfo(info);
  const signed = expectTag(info, DER_TAG.sequence).encoded;
  return { request, signed, proof: readProof(request, { algorithm, signature }) };
}

function readInfo(info: DerElement | undefined): CertificateRequest {
  const [version, subject, keyInfo, attributes, ...more] = readChildren(info, DER_TAG.sequence);
  if (!expectTag(version, DER_TAG.integer).contents.equals(Buffer.of(0)))
    throw new InvalidCertificateRequestError("the request is not of version 1");
  if (more.length > 0) throw new InvalidCertificateRequestError("the request has too many fields");
  return {
    ...parsePublicKey(expectTag(keyInfo, DER_TAG.sequence).encoded),
    hasCommonName: hasCommonName(subject),
    requestedNames: readRequestedNames(attributes),
  };
}

function readProof(
  { keyType }: CertificateRequest,
  fields: {
    readonly algorithm: DerElement | undefined;
    readonly signature: DerElement | undefined;
  },
): UnprovenRequest["proof"] {
  const hash = hashOfSignature(expectTag(fields.algorithm, DER_TAG.sequence).encoded, keyType);
  if (hash === undefined)
    throw new InvalidCertificateRequestError("its signature algorithm is not accepted");
  return { hash, signature: readBitString(fields.signature) };
}

function readRequestedNames(attributes: DerElement | undefined): readonly AlternativeName[] {
  if (attributes === undefined) return [];
  const requests = readChildren(attributes, ATTRIBUTES_TAG)
    .map(readAttribute)
    .filter(({ type }) => type === EXTENSION_REQUEST);
  const [request, ...others] = requests.flatMap(({ values }) => values);
  if (others.length > 0)
    throw new InvalidCertificateRequestError("the request asks for extensions twice");
  return request === undefined ? [] : alternativeNames(readExtensions(request));
}

function readAttribute(attribute: DerElement): { type: string; values: readonly DerElement[] } {
  const [type, set, ...rest] = readChildren(attribute, DER_TAG.sequence);
  const values = readChildren(set, DER_TAG.set);
  if (rest.length > 0 || values.length === 0)
    throw new InvalidCertificateRequestError("an attribute is not a type and its values");
  return { type: readObjectIdentifier(type), values };
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
    extnValue: new OctetString(encodeAlternativeNames({ uris, dnsNames: [], ipAddresses: [] })),
  });
  return new Attribute({
    type: EXTENSION_REQUEST,
    values: [AsnConvert.serialize(new Extensions([names]))],
  });
}
