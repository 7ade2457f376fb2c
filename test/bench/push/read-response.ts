/** As much of a `DeltaDiscoveryResponse` as is needed to answer it: the resources themselves are skipped. */

export interface ReadResponse {
  readonly bytes: Buffer;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Names of its resources. */
  readonly names: () => readonly string[];
}

const RESOURCES = 2;
const TYPE_URL = 4;
const NONCE = 5;
const NAME_OF_RESOURCE = 3;

export function readResponse(bytes: Buffer): ReadResponse {
  let typeUrl = "";
  let nonce = "";
  const resources: Buffer[] = [];
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === TYPE_URL) typeUrl = value.toString();
    else if (number === NONCE) nonce = value.toString();
    else if (number === RESOURCES) resources.push(value);
  }
  return { bytes, typeUrl, nonce, names: () => resources.map(nameOf) };
}

function nameOf(resource: Buffer): string {
  for (const { number, value } of fieldsOf(resource))
    if (number === NAME_OF_RESOURCE) return value.toString();
  return "";
}

/** All fields of these messages have a length. */
function* fieldsOf(bytes: Buffer): Generator<{ readonly number: number; readonly value: Buffer }> {
  let at = 0;
  while (at < bytes.length) {
    const number = (bytes[at] ?? 0) >> 3;
    let length = 0;
    let shift = 0;
    let byte = 0x80;
    for (at++; (byte & 0x80) !== 0; at++) {
      byte = bytes[at] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    }
    yield { number, value: bytes.subarray(at, at + length) };
    at += length;
  }
}
