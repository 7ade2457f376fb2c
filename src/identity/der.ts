/**
 * A strict reader of DER (X.690): what a stranger sends is read here, byte by byte, before anything is believed.
 * No leniency: definite minimal lengths, single-byte tags, no trailing bytes, bounded depth by construction.
 */
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Longest DER accepted from anyone: no certificate or request of a mesh comes near it. */
export const MAX_DER_BYTES = 65_536;

export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Bytes that are not strict DER. */
export class InvalidDerError extends HauberkError {
  readonly code = "HAUBERK_INVALID_DER";
}

export interface DerElement {
  /** The whole identifier byte: class, constructed bit, number. */
  readonly tag: number;
  readonly contents: Buffer;
  /** Tag, length and contents. */
  readonly encoded: Buffer;
}

/**
 * Reads bytes that hold exactly one element.
 *
 * @param maxBytes longest that is read; whatever is inside is shorter
 * @throws InvalidDerError
 */
export function readDer(bytes: Buffer, maxBytes: number = MAX_DER_BYTES): DerElement {
  if (bytes.length > maxBytes) throw new InvalidDerError(`more than ${maxBytes} bytes`);
  const element = readElement(bytes, 0);
  if (element.encoded.length !== bytes.length)
    throw new InvalidDerError("there are trailing bytes");
  return element;
}

/**
 * The elements inside a constructed element.
 *
 * @param tag what the element must be
 * @throws InvalidDerError
 */
export function readChildren(element: DerElement | undefined, tag: number): DerElement[] {
  const { contents } = expectTag(element, tag);
  const children: DerElement[] = [];
  for (let offset = 0; offset < contents.length; ) {
    const child = readElement(contents, offset);
    children.push(child);
    offset += child.encoded.length;
  }
  return children;
}

/** @throws InvalidDerError if the element is absent or is something else */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) {
    const found = element === undefined ? "nothing" : `tag ${element.tag}`;
    throw new InvalidDerError(`expected tag ${tag}, found ${found}`);
  }
  return element;
}

/** The bytes of a BIT STRING that has no unused bits. */
export function readBitString(element: DerElement | undefined): Buffer {
  const { contents } = expectTag(element, DER_TAG.bitString);
  if (contents[0] !== 0) throw new InvalidDerError("a bit string has unused bits");
  return contents.subarray(1);
}

/** Dotted form, such as `2.5.29.17`. */
export function readObjectIdentifier(element: DerElement | undefined): string {
  const { contents } = expectTag(element, DER_TAG.objectIdentifier);
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of contents) {
    if (arc === 0 && byte === 0x80) throw new InvalidDerError("an object identifier is padded");
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 256)
      throw new InvalidDerError("an object identifier has an arc that is too large");
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first, ...rest] = arcs;
  if (first === undefined || (contents.at(-1) ?? 0x80) >= 0x80)
    throw new InvalidDerError("an object identifier is cut short");
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join(".");
}

function readElement(bytes: Buffer, start: number): DerElement {
  const tag = bytes[start];
  if (tag === undefined) throw new InvalidDerError("the data is cut short");
  if ((tag & 0x1f) === 0x1f) throw new InvalidDerError("a tag takes more than one byte");
  const { length, size } = readLength(bytes, start + 1);
  const contentsStart = start + 1 + size;
  const end = contentsStart + length;
  if (end > bytes.length) throw new InvalidDerError("the data is cut short");
  return {
    tag,
    contents: bytes.subarray(contentsStart, end),
    encoded: bytes.subarray(start, end),
  };
}

function readLength(bytes: Buffer, offset: number): { length: number; size: number } {
  const first = bytes[offset];
  if (first === undefined) throw new InvalidDerError("the data is cut short");
  if (first < 0x80) return { length: first, size: 1 };
  const count = first & 0x7f;
  if (count === 0) throw new InvalidDerError("a length is indefinite");
  if (count > 3) throw new InvalidDerError("a length is too large");
  if (offset + count >= bytes.length) throw new InvalidDerError("the data is cut short");
  const length = bytes.readUIntBE(offset + 1, count);
  if (length < 0x80 || length < 2 ** (8 * (count - 1)))
    throw new InvalidDerError("a length is not in its shortest form");
  return { length, size: 1 + count };
}
