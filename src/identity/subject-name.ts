/** The name in a certificate request: nothing of it is ever issued, but whether it has a common name counts (CA-8). */
import {
  DER_TAG,
  type DerElement,
  InvalidDerError,
  readChildren,
  readObjectIdentifier,
} from "./der.ts";

const COMMON_NAME = "2.5.4.3";
/** Of text; older encodings have no place in a mesh. */
const TEXT_TAGS: readonly number[] = [
  DER_TAG.utf8String,
  DER_TAG.printableString,
  DER_TAG.ia5String,
];

/**
 * Whether a name (RFC 5280 section 4.1.2.4) has a common name that is not empty.
 *
 * @throws InvalidDerError if it is no name
 */
export function hasCommonName(name: DerElement | undefined): boolean {
  return readChildren(name, DER_TAG.sequence)
    .flatMap(readAttributes)
    .some(({ type, text }) => type === COMMON_NAME && text.length > 0);
}

function readAttributes(relativeName: DerElement): { type: string; text: Buffer }[] {
  const attributes = readChildren(relativeName, DER_TAG.set);
  if (attributes.length === 0) throw new InvalidDerError("a part of the name is empty");
  return attributes.map((attribute) => {
    const [type, value, ...rest] = readChildren(attribute, DER_TAG.sequence);
    if (value === undefined || rest.length > 0 || !TEXT_TAGS.includes(value.tag))
      throw new InvalidDerError("a part of the name is not a type and a text");
    return { type: readObjectIdentifier(type), text: value.contents };
  });
}
