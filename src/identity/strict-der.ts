/**
 * Walks DER to its leaves. Whatever is accepted may be read by others, who look into places that we do not: it must be
 * well formed there too, and not nested without end.
 */
import {
  DER_TAG,
  type DerElement,
  InvalidDerError,
  readChildren,
  readObjectIdentifier,
} from "./der.ts";

/** A request of a mesh has six levels. */
const MAX_DEPTH = 16;
const CONSTRUCTED = 0x20;
const CLASS_BITS = 0xc0;

/** The primitive universal types that are accepted, and what their contents must be (X.690 sections 8, 10 and 11). */
const IS_WELL_FORMED: ReadonlyMap<number, (contents: Buffer, element: DerElement) => boolean> =
  new Map<number, (contents: Buffer, element: DerElement) => boolean>([
    [DER_TAG.boolean, isBoolean],
    [DER_TAG.integer, isInteger],
    [DER_TAG.bitString, isBitString],
    [DER_TAG.octetString, () => true],
    [0x05, (contents) => contents.length === 0],
    [DER_TAG.objectIdentifier, (_, element) => readObjectIdentifier(element) !== ""],
    [DER_TAG.utf8String, isUtf8],
    [0x12, (contents) => /^[0-9 ]*$/.test(contents.toString("latin1"))],
    [DER_TAG.printableString, isPrintable],
    [0x14, () => true],
    [DER_TAG.ia5String, (contents) => contents.every((byte) => byte < 0x80)],
    [0x17, (contents) => /^\d{12}Z$/.test(contents.toString("latin1"))],
    [0x18, (contents) => /^\d{14}Z$/.test(contents.toString("latin1"))],
    [0x1a, (contents) => contents.every((byte) => byte >= 0x20 && byte < 0x7f)],
    [0x1c, (contents) => contents.length % 4 === 0],
    [0x1e, (contents) => contents.length % 2 === 0],
  ]);

/** @throws InvalidDerError at the first element that is malformed, of an unknown type, or nested too deeply */
export function verifyStrictDer(element: DerElement): void {
  verifyElement(element, 0);
}

function verifyElement(element: DerElement, depth: number): void {
  const { tag, contents } = element;
  if (depth > MAX_DEPTH) throw new InvalidDerError("it is nested too deeply");
  const isUniversal = (tag & CLASS_BITS) === 0;
  if ((tag & CONSTRUCTED) !== 0) {
    if (isUniversal && tag !== DER_TAG.sequence && tag !== DER_TAG.set)
      throw new InvalidDerError(`tag ${tag} must not be constructed`);
    for (const child of readChildren(element, tag)) verifyElement(child, depth + 1);
  } else if (isUniversal && IS_WELL_FORMED.get(tag)?.(contents, element) !== true)
    throw new InvalidDerError(`an element with tag ${tag} is malformed`);
}

function isBoolean([value, ...more]: Buffer): boolean {
  return more.length === 0 && (value === 0 || value === 0xff);
}

/** Not empty, and the first nine bits are not all alike. */
export function isInteger([first, second]: Buffer): boolean {
  if (first === undefined) return false;
  if (second === undefined) return true;
  return !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
}

function isBitString(contents: Buffer): boolean {
  const [unused = 8] = contents;
  if (contents.length === 1) return unused === 0;
  const last = contents.at(-1) ?? 0;
  return unused < 8 && (last & (2 ** unused - 1)) === 0;
}

function isPrintable(contents: Buffer): boolean {
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(contents.toString("latin1"));
}

function isUtf8(contents: Buffer): boolean {
  return Buffer.from(contents.toString("utf8"), "utf8").equals(contents);
}
