/** The few X.509 extensions that carry an identity, read from DER: no text form stands between the bytes and us. */
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";
import { type AlternativeName, readGeneralName } from "./general-name.ts";
import { verifyStrictDer } from "./strict-der.ts";

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
const EXTENSIONS_TAG = 0xa3;
const KEY_IDENTIFIER_TAG = 0x80;

/** Contents of each extension by its object identifier. */
export type Extensions = ReadonlyMap<string, Buffer>;

/**
 * Extensions of a certificate (RFC 5280 section 4.1).
 *
 * @throws InvalidDerError also when an extension stands twice
 */
export function readCertificateExtensions(certificate: Buffer): Extensions {
  const [body] = readChildren(readDer(certificate), DER_TAG.sequence);
  const wrapped = readChildren(body, DER_TAG.sequence).find(({ tag }) => tag === EXTENSIONS_TAG);
  if (wrapped === undefined) return new Map();
  const [list, ...rest] = readChildren(wrapped, EXTENSIONS_TAG);
  if (rest.length > 0) throw new InvalidDerError("extensions are followed by something else");
  return readExtensions(list);
}

/** @throws InvalidDerError also when an extension stands twice */
export function readExtensions(list: DerElement | undefined): Extensions {
  const extensions = new Map<string, Buffer>();
  for (const extension of readChildren(list, DER_TAG.sequence)) {
    const fields = readChildren(extension, DER_TAG.sequence);
    const name = readObjectIdentifier(fields[0]);
    if (extensions.has(name)) throw new InvalidDerError(`extension ${name} stands twice`);
    if (fields.length > 3) throw new InvalidDerError(`extension ${name} has too many fields`);
    if (fields.length === 3) readBoolean(fields[1]);
    extensions.set(name, expectTag(fields.at(-1), DER_TAG.octetString).contents);
  }
  return extensions;
}

/** @throws InvalidDerError also when an entry is of a kind that there is not, or malformed */
export function alternativeNames(extensions: Extensions): AlternativeName[] {
  const contents = extensions.get(SUBJECT_ALTERNATIVE_NAME);
  if (contents === undefined) return [];
  return readChildren(readDer(contents), DER_TAG.sequence).map(readGeneralName);
}

/** Usages by their bit (RFC 5280 section 4.2.1.3), for those an identity depends on. */
const USAGE_BITS = { digitalSignature: 0x80, certificateSign: 0x04, crlSign: 0x02 };
export type KeyUsageName = keyof typeof USAGE_BITS;

/** @throws InvalidDerError */
export function hasKeyUsage(extensions: Extensions, usage: KeyUsageName): boolean {
  const contents = extensions.get(KEY_USAGE);
  if (contents === undefined) return false;
  const element = readDer(contents);
  verifyStrictDer(element);
  const [, bits = 0] = expectTag(element, DER_TAG.bitString).contents;
  return (bits & USAGE_BITS[usage]) !== 0;
}

/** @returns undefined when the certificate has none */
export function subjectKeyIdentifier(extensions: Extensions): Buffer | undefined {
  const contents = extensions.get(SUBJECT_KEY_IDENTIFIER);
  if (contents === undefined) return undefined;
  return expectTag(readDer(contents), DER_TAG.octetString).contents;
}

/**
 * Which key signed the certificate (RFC 5280 section 4.2.1.1).
 *
 * @returns undefined when the certificate does not say
 * @throws InvalidDerError
 */
export function authorityKeyIdentifier(extensions: Extensions): Buffer | undefined {
  const contents = extensions.get(AUTHORITY_KEY_IDENTIFIER);
  if (contents === undefined) return undefined;
  const fields = readChildren(readDer(contents), DER_TAG.sequence);
  return fields.find(({ tag }) => tag === KEY_IDENTIFIER_TAG)?.contents;
}

/** 0 where it should be left out, as some write it, is accepted. */
function readBoolean(element: DerElement | undefined): boolean {
  const { contents } = expectTag(element, DER_TAG.boolean);
  const [value = 1] = contents;
  if (contents.length !== 1 || (value !== 0 && value !== 0xff))
    throw new InvalidDerError("a boolean is malformed");
  return value === 0xff;
}
