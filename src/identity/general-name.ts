/** One entry of a subject alternative name (RFC 5280 section 4.2.1.6): all kinds are checked, two are read. */
import {
  DER_TAG,
  type DerElement,
  expectTag,
  InvalidDerError,
  readChildren,
  readObjectIdentifier,
} from "./der.ts";
import { verifyStrictDer } from "./strict-der.ts";

/** Kinds that we never read are "other". */
export interface AlternativeName {
  readonly kind: "uri" | "dns" | "other";
  readonly value: string;
}

/** Two kinds are left out, which nobody has used: an X.400 address, and a name of an EDI party. */
const TAG = {
  otherName: 0xa0,
  mail: 0x81,
  dns: 0x82,
  directoryName: 0xa4,
  uri: 0x86,
  address: 0x87,
  registeredId: 0x88,
} as const;
const VALUE_TAG = 0xa0;

/** @throws InvalidDerError if it is of no such kind, or malformed */
export function readGeneralName(name: DerElement): AlternativeName {
  const { tag, contents } = name;
  verifyStrictDer(name);
  if (tag === TAG.uri) return { kind: "uri", value: readIa5(contents) };
  if (tag === TAG.dns) return { kind: "dns", value: readIa5(contents) };
  if (tag === TAG.mail) readIa5(contents);
  else if (tag === TAG.address) verifyAddress(contents);
  else if (tag === TAG.registeredId)
    readObjectIdentifier({ ...name, tag: DER_TAG.objectIdentifier });
  else if (tag === TAG.otherName) verifyOtherName(name);
  else if (tag === TAG.directoryName) verifyDirectoryName(name);
  else throw new InvalidDerError("a name is of an unknown kind");
  return { kind: "other", value: "" };
}

function verifyAddress({ length }: Buffer): void {
  if (length !== 4 && length !== 16)
    throw new InvalidDerError("an IP address has neither 4 nor 16 bytes");
}

function verifyOtherName(name: DerElement): void {
  const [type, value, ...rest] = readChildren(name, TAG.otherName);
  readObjectIdentifier(type);
  if (readChildren(value, VALUE_TAG).length !== 1 || rest.length > 0)
    throw new InvalidDerError("a name is not a type and a value");
}

function verifyDirectoryName(name: DerElement): void {
  const [list, ...rest] = readChildren(name, TAG.directoryName);
  if (rest.length > 0) throw new InvalidDerError("a directory name is followed by something else");
  for (const part of readChildren(list, DER_TAG.sequence)) {
    const attributes = readChildren(part, DER_TAG.set);
    if (attributes.length === 0) throw new InvalidDerError("a part of a directory name is empty");
    for (const attribute of attributes) {
      const [type, ...values] = readChildren(attribute, DER_TAG.sequence);
      readObjectIdentifier(expectTag(type, DER_TAG.objectIdentifier));
      if (values.length !== 1) throw new InvalidDerError("a directory name has a malformed part");
    }
  }
}

function readIa5(contents: Buffer): string {
  if (contents.some((byte) => byte >= 0x80))
    throw new InvalidDerError("a name has a character that is not ASCII");
  return contents.toString("latin1");
}
