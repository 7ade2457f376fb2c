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

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const EXTENSIONS_TAG = 0xa3;
const URI_TAG = 0x86;
const DNS_TAG = 0x82;

/** One entry of a subject alternative name (RFC 5280 section 4.2.1.6); kinds we never read are "other". */
export interface AlternativeName {
  readonly kind: "uri" | "dns" | "other";
  readonly value: string;
}

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
    if (fields.length === 3) expectTag(fields[1], DER_TAG.boolean);
    extensions.set(name, expectTag(fields.at(-1), DER_TAG.octetString).contents);
  }
  return extensions;
}

/** @throws InvalidDerError */
export function alternativeNames(extensions: Extensions): AlternativeName[] {
  const contents = extensions.get(SUBJECT_ALTERNATIVE_NAME);
  if (contents === undefined) return [];
  return readChildren(readDer(contents), DER_TAG.sequence).map(({ tag, contents }) => {
    if (tag === URI_TAG) return { kind: "uri", value: readIa5(contents) };
    if (tag === DNS_TAG) return { kind: "dns", value: readIa5(contents) };
    return { kind: "other", value: "" };
  });
}

/** Usages by their bit (RFC 5280 section 4.2.1.3), for those an identity depends on. */
const USAGE_BITS = { digitalSignature: 0x80, certificateSign: 0x04, crlSign: 0x02 };
export type KeyUsageName = keyof typeof USAGE_BITS;

/** @throws InvalidDerError */
export function hasKeyUsage(extensions: Extensions, usage: KeyUsageName): boolean {
  const contents = extensions.get(KEY_USAGE);
  if (contents === undefined) return false;
  const [unusedBits = 8, bits = 0] = expectTag(readDer(contents), DER_TAG.bitString).contents;
  if (unusedBits > 7) throw new InvalidDerError("a bit string is malformed");
  return (bits & USAGE_BITS[usage]) !== 0;
}

/** @returns undefined when the certificate has none */
export function subjectKeyIdentifier(extensions: Extensions): Buffer | undefined {
  const contents = extensions.get(SUBJECT_KEY_IDENTIFIER);
  if (contents === undefined) return undefined;
  return expectTag(readDer(contents), DER_TAG.octetString).contents;
}

function readIa5(contents: Buffer): string {
  if (contents.some((byte) => byte >= 0x80))
    throw new InvalidDerError("a name has a character that is not ASCII");
  return contents.toString("latin1");
}
