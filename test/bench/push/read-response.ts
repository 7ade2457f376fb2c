/**
 * As much of a `DeltaDiscoveryResponse` as is needed to answer it. Its type and nonce stand behind the resources, unpacked also
 * where these are packed; the resources are unpacked and read once for all proxies that are sent the same.
 */
import { createHash } from "node:crypto";
import { unpackedMessage } from "../../../src/wire/envoy/packed-messages.ts";

/** What stands behind the resources, other for each proxy. */
export interface ResponseEnd {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Where it begins, in bytes. */
  readonly at: number;
}

/** The resources. */
export interface ReadResources {
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** Names of authorization that they mention. */
  readonly policies: readonly string[];
  /** Unpacked. */
  readonly bytes: number;
}

const RESOURCES = 2;
const TYPE_URL = 4;
const NONCE = 5;
const NAME_OF_RESOURCE = 3;
const LENGTH_DELIMITED = 2;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const TYPE = Buffer.from("type.googleapis.com/envoy.config.");
const TYPE_HEAD = 2;
/** Of a block of DEFLATE that is stored as it is, and is the last (RFC 1951 section 3.2.4). */
const STORED_HEAD = 5;
const AUTHORIZATION_NAME = /authorization\/[a-z]+\/[a-z-]+/g;

/** @throws RangeError for what has no such end */
export function readEnd(message: Buffer): ResponseEnd {
  const at = message[0] === 0 ? endOfPacked(message) : endOfPlain(message);
  let typeUrl = "";
  let nonce = "";
  for (const { number, value } of fieldsOf(message.subarray(at))) {
    if (number === TYPE_URL) typeUrl = value.toString("latin1");
    else if (number === NONCE) nonce = value.toString("latin1");
  }
  return { typeUrl, nonce, at };
}

function endOfPacked(message: Buffer): number {
  const at = message.lastIndexOf(TYPE) - TYPE_HEAD;
  const isStored = message.readUInt16LE(at - STORED_HEAD + 1) === message.length - at;
  if (!isStored) throw new RangeError("a packed response without its plain end");
  return at;
}

function endOfPlain(message: Buffer): number {
  for (const { number, at } of fieldsOf(message)) if (number !== RESOURCES) return at;
  return message.length;
}

const known = new Map<string, ReadResources>();

export function readResources(message: Buffer, { at }: ResponseEnd): ReadResources {
  const key = createHash("sha1").update(message.subarray(0, at)).digest("base64");
  const found = known.get(key);
  if (found !== undefined) return found;
  const { buffer, byteOffset, length } = unpackedMessage(message, MAX_MESSAGE_BYTES);
  const plain = Buffer.from(buffer, byteOffset, length);
  const end = endOfPlain(plain);
  const names: string[] = [];
  for (const { number, value } of fieldsOf(plain.subarray(0, end)))
    if (number === RESOURCES) names.push(nameOf(value));
  const policies = new Set(plain.toString("latin1", 0, end).match(AUTHORIZATION_NAME) ?? []);
  const read = { names, policies: [...policies], bytes: end };
  known.set(key, read);
  return read;
}

function nameOf(resource: Buffer): string {
  for (const { number, value } of fieldsOf(resource))
    if (number === NAME_OF_RESOURCE) return value.toString();
  return "";
}

interface Field {
  readonly number: number;
  readonly value: Buffer;
  /** Where it begins. */
  readonly at: number;
}

/** All fields of these messages have a length, and a number below 16. */
function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  while (at < bytes.length) {
    const head = bytes[at] ?? 0;
    if ((head & 7) !== LENGTH_DELIMITED) throw new RangeError("a field of another kind");
    const start = at;
    let length = 0;
    let shift = 0;
    let byte = 0x80;
    for (at++; (byte & 0x80) !== 0; at++) {
      byte = bytes[at] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    }
    yield { number: head >> 3, value: bytes.subarray(at, at + length), at: start };
    at += length;
  }
}
