/**
 * Whether a certificate is well formed (RFC 5280 section 4), down to the extensions that are read anywhere in the mesh:
 * where readers disagree about a malformed one, nobody should have believed it.
 */
import { alternativeNames, readExtensions } from "./certificate-extensions.ts";
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readChildren,
  readDer,
  readObjectIdentifier,
} from "./der.ts";
import { verifyStrictDer } from "./strict-der.ts";

const VERSION_TAG = 0xa0;
/** After the key, in this order: two identifiers that nobody uses, and the extensions. */
const EXTENSIONS_TAG = 0xa3;
const TAIL_TAGS: readonly number[] = [0x81, 0x82, EXTENSIONS_TAG];
const FIELDS_WITHOUT_VERSION = 6;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** @throws InvalidDerError */
export function verifyCertificateForm(certificate: Buffer): void {
  const whole = readDer(certificate);
  verifyStrictDer(whole);
  const [body, , , ...more] = readChildren(whole, DER_TAG.sequence);
  if (more.length > 0) throw new InvalidDerError("the certificate has too many fields");
  const fields = readChildren(body, DER_TAG.sequence);
  const [serial, , , validity, , key, ...tail] =
    fields[0]?.tag === VERSION_TAG ? fields.slice(1) : fields;
  if (fields.length < FIELDS_WITHOUT_VERSION) throw new InvalidDerError("fields are missing");
  expectTag(serial, DER_TAG.integer);
  expectTag(key, DER_TAG.sequence);
  verifyValidity(validity);
  verifyOrder(tail, TAIL_TAGS);
  const wrapped = tail.find(({ tag }) => tag === EXTENSIONS_TAG);
  if (wrapped !== undefined) verifyExtensions(wrapped);
}

function verifyValidity(validity: DerElement | undefined): void {
  const times = readChildren(validity, DER_TAG.sequence);
  if (times.length !== 2 || !times.every(isTime))
    throw new InvalidDerError("the validity is not two times");
}

/** A moment that there is, in UTC (RFC 5280 section 4.1.2.5). */
function isTime({ tag, contents }: DerElement): boolean {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) return false;
  const text = contents.toString("latin1");
  const full =
    tag === GENERALIZED_TIME ? text : `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text}`;
  const [, date, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  const iso = `${date}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso;
}

/** Each at most once, in this order. */
function verifyOrder(elements: readonly DerElement[], tags: readonly number[]): void {
  const places = elements.map(({ tag }) => tags.indexOf(tag));
  const isOrdered = places.every((place, index) => place > (places[index - 1] ?? -1));
  if (!isOrdered) throw new InvalidDerError("there are fields that are unknown, or out of order");
}

/** The contents of the extensions that we, or those whose word we take, read. */
const CONTENTS: ReadonlyMap<string, (value: DerElement) => void> = new Map([
  ["2.5.29.14", (value) => void expectTag(value, DER_TAG.octetString)],
  ["2.5.29.15", (value) => void expectTag(value, DER_TAG.bitString)],
  ["2.5.29.19", verifyBasicConstraints],
  ["2.5.29.30", verifyNameConstraints],
  ["2.5.29.35", verifyAuthorityKey],
  ["2.5.29.37", verifyExtendedUsage],
]);

function verifyExtensions(wrapped: DerElement): void {
  const [list, ...rest] = readChildren(wrapped, EXTENSIONS_TAG);
  const extensions = readExtensions(list);
  if (rest.length > 0 || extensions.size === 0)
    throw new InvalidDerError("the extensions are not one list");
  for (const [name, contents] of extensions) {
    const verify = CONTENTS.get(name);
    if (verify === undefined) continue;
    const value = readDer(contents);
    verifyStrictDer(value);
    verify(value);
  }
  alternativeNames(extensions);
}

function verifyBasicConstraints(value: DerElement): void {
  verifyOrder(readChildren(value, DER_TAG.sequence), [DER_TAG.boolean, DER_TAG.integer]);
}

/** Permitted and excluded subtrees; what they hold is read by whoever judges names by them (RFC 5280 section 4.2.1.10). */
function verifyNameConstraints(value: DerElement): void {
  const parts = readChildren(value, DER_TAG.sequence);
  verifyOrder(parts, [0xa0, 0xa1]);
  for (const part of parts) {
    const subtrees = readChildren(part, part.tag);
    if (subtrees.length === 0) throw new InvalidDerError("name constraints are empty");
    for (const subtree of subtrees) readChildren(subtree, DER_TAG.sequence);
  }
}

/** Of the three parts only the key identifier is ever read; issuer and serial number stand together or not at all. */
function verifyAuthorityKey(value: DerElement): void {
  const parts = readChildren(value, DER_TAG.sequence);
  verifyOrder(parts, [0x80, 0xa1, 0x82]);
  const has = (wanted: number): boolean => parts.some(({ tag }) => tag === wanted);
  if (has(0xa1) !== has(0x82))
    throw new InvalidDerError("an issuer and its serial number stand together or not at all");
}

function verifyExtendedUsage(value: DerElement): void {
  const names = readChildren(value, DER_TAG.sequence);
  if (names.length === 0) throw new InvalidDerError("the extended key usage is empty");
  for (const name of names) readObjectIdentifier(name);
}
