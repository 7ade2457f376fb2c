/** Certificate revocation lists (RFC 5280 section 5), read strictly: complete lists of one issuer, and nothing else. */
import { verify, type X509Certificate } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  authorityKeyIdentifier,
  type Extensions,
  readExtensions,
} from "./certificate-extensions.ts";
import { certificateProfile } from "./certificate-profile.ts";
import { keyTypeOf } from "./certificate-signature.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readBitString,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";
import { readPem } from "./pem.ts";
import { hashOfSignature } from "./signature-algorithm.ts";

/** All sidecars hold every list, so none may be longer. */
export const MAX_REVOCATION_LIST_BYTES = 1_048_576;
export const MAX_REVOKED_CERTIFICATES = 20_000;

const LABEL = "X509 CRL";
const MAX_PEM_CHARACTERS = Math.ceil(MAX_REVOCATION_LIST_BYTES * 1.4);
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const EXTENSIONS_TAG = 0xa0;
const LIST_NUMBER = "2.5.29.20";
/** RFC 5280 section 5.2.3. */
const MAX_NUMBER_BYTES = 20;

/** Text that is no revocation list, or one of a kind that is not supported. */
export class InvalidRevocationListError extends HauberkError {
  readonly code = "HAUBERK_INVALID_REVOCATION_LIST";
}

export interface RevocationList {
  /** DER of the Name. */
  readonly issuer: Buffer;
  readonly authorityKeyIdentifier: Buffer | undefined;
  /** Which of its issuer's lists it is (section 5.2.3); undefined where it does not say. */
  readonly number: bigint | undefined;
  readonly thisUpdate: Date;
  /** When a newer one is due. */
  readonly nextUpdate: Date | undefined;
  /** Serial numbers as `serialText` writes them, and since when. */
  readonly revoked: ReadonlyMap<string, Date>;
  /** What is signed, with which algorithm (DER), and the signature. */
  readonly signed: Buffer;
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
}

/**
 * @param pem exactly one list
 * @throws InvalidRevocationListError
 */
export function parseRevocationList(pem: string): RevocationList {
  try {
    const [der, ...others] = readPem(pem, { labels: [LABEL], maxCharacters: MAX_PEM_CHARACTERS });
    if (der === undefined || others.length > 0)
      throw new InvalidRevocationListError("there is more than one list");
    return readList(der);
  } catch (cause) {
    if (cause instanceof InvalidRevocationListError) throw cause;
    throw new InvalidRevocationListError("the revocation list cannot be read", { cause });
  }
}

/** Contents of an INTEGER, without leading zeros, in lower-case hexadecimal. */
export function serialText(contents: Buffer): string {
  return contents.toString("hex").replace(/^(?:00)+(?=..)/, "");
}

export const OTHER_ISSUER = "is another issuer's";

/**
 * Why a list is not that of `issuer`: another name or key, no right to sign lists, or a signature that is not its own.
 *
 * @returns undefined when it is
 * @throws InvalidDerError
 */
export function revocationListProblem(
  list: RevocationList,
  issuer: X509Certificate,
): string | undefined {
  const { subject, usage } = certificateProfile(issuer);
  if (!list.issuer.equals(subject)) return OTHER_ISSUER;
  if (usage.isStated && !usage.crlSign)
    return "is signed by a CA that may not sign lists: its keyUsage lacks cRLSign";
  const keyType = keyTypeOf(issuer.publicKey);
  const hash = keyType && hashOfSignature(list.signatureAlgorithm, keyType);
  if (hash === undefined) return "is signed with an algorithm that is not accepted";
  if (!verify(hash, list.signed, issuer.publicKey, list.signature))
    return "has a signature that does not verify";
  return undefined;
}

function readList(der: Buffer): RevocationList {
  const [body, algorithm, signature, ...rest] = readChildren(
    readDer(der, MAX_REVOCATION_LIST_BYTES),
    DER_TAG.sequence,
  );
  if (rest.length > 0) throw new InvalidRevocationListError("the list has too many fields");
  const signatureAlgorithm = expectTag(algorithm, DER_TAG.sequence).encoded;
  const fields = readBody(readChildren(body, DER_TAG.sequence));
  if (!fields.algorithm.equals(signatureAlgorithm))
    throw new InvalidRevocationListError("its two signature algorithms differ");
  const { issuer, thisUpdate, nextUpdate, revoked, extensions } = fields;
  return {
    issuer,
    authorityKeyIdentifier: authorityKeyIdentifier(extensions),
    number: readNumber(extensions),
    thisUpdate,
    nextUpdate,
    revoked,
    signed: expectTag(body, DER_TAG.sequence).encoded,
    signatureAlgorithm,
    signature: readBitString(signature),
  };
}

type Body = Pick<RevocationList, "issuer" | "thisUpdate" | "nextUpdate" | "revoked"> & {
  readonly algorithm: Buffer;
  readonly extensions: Extensions;
};

function readBody(fields: readonly DerElement[]): Body {
  const left = [...fields];
  const next = (wanted: (tag: number) => boolean): DerElement | undefined =>
    left[0] !== undefined && wanted(left[0].tag) ? left.shift() : undefined;
  const version = next((tag) => tag === DER_TAG.integer);
  if (version !== undefined && !version.contents.equals(Buffer.of(1)))
    throw new InvalidRevocationListError("the list is not of version 2");
  const algorithm = expectTag(left.shift(), DER_TAG.sequence).encoded;
  const issuer = expectTag(left.shift(), DER_TAG.sequence).encoded;
  const thisUpdate = readTime(left.shift());
  const nextUpdate = next(isTime);
  const revoked = next((tag) => tag === DER_TAG.sequence);
  const wrapped = next((tag) => tag === EXTENSIONS_TAG);
  if (left.length > 0) throw new InvalidRevocationListError("the list has too many fields");
  return {
    algorithm,
    issuer,
    thisUpdate,
    nextUpdate: nextUpdate && readTime(nextUpdate),
    revoked: readRevoked(revoked),
    extensions: readListExtensions(wrapped),
  };
}

function readRevoked(list: DerElement | undefined): ReadonlyMap<string, Date> {
  const entries = list === undefined ? [] : readChildren(list, DER_TAG.sequence);
  if (entries.length > MAX_REVOKED_CERTIFICATES)
    throw new InvalidRevocationListError(
      `the list names ${entries.length} certificates; at most ${MAX_REVOKED_CERTIFICATES} are supported`,
    );
  return new Map(
    entries.map((entry) => {
      const [serial, since, extensions, ...rest] = readChildren(entry, DER_TAG.sequence);
      if (rest.length > 0) throw new InvalidRevocationListError("an entry has too many fields");
      refuseCritical(extensions, "an entry");
      return [serialText(expectTag(serial, DER_TAG.integer).contents), readTime(since)];
    }),
  );
}

function readListExtensions(wrapped: DerElement | undefined): Extensions {
  if (wrapped === undefined) return new Map();
  const [list] = readChildren(wrapped, EXTENSIONS_TAG);
  refuseCritical(list, "the list");
  return readExtensions(list);
}

function readNumber(extensions: Extensions): bigint | undefined {
  const encoded = extensions.get(LIST_NUMBER);
  if (encoded === undefined) return undefined;
  const { contents } = expectTag(readDer(encoded), DER_TAG.integer);
  const isNegative = ((contents[0] ?? 0) & 0x80) !== 0;
  if (contents.length === 0 || contents.length > MAX_NUMBER_BYTES || isNegative)
    throw new InvalidDerError("the number of the list is malformed");
  return BigInt(`0x${contents.toString("hex")}`);
}

/** A critical extension makes it a delta, a part of a list or one of several issuers': none of these is supported. */
function refuseCritical(list: DerElement | undefined, what: string): void {
  if (list === undefined) return;
  for (const extension of readChildren(list, DER_TAG.sequence)) {
    const [name, flag] = readChildren(extension, DER_TAG.sequence);
    if (flag?.tag !== DER_TAG.boolean || flag.contents[0] === 0) continue;
    throw new InvalidRevocationListError(
      `${what} has the critical extension ${readObjectIdentifier(name)}: only complete lists of one issuer are supported`,
    );
  }
}

function isTime(tag: number): boolean {
  return tag === UTC_TIME || tag === GENERALIZED_TIME;
}

/** RFC 5280 section 5.1.2.4: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, nothing else. */
function readTime(element: DerElement | undefined): Date {
  if (element === undefined || !isTime(element.tag)) throw new InvalidDerError("expected a time");
  const text = element.contents.toString("latin1");
  const digits =
    element.tag === UTC_TIME ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  const [, year, month, day, hour, minute, second] = parts ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) throw new InvalidDerError("a time is malformed");
  return time;
}
