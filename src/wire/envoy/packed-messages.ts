/**
 * Messages made smaller on their way from the control plane to the mesh's own agents, which give Envoy the plain ones. Servers of
 * grpc-js cannot compress by themselves; this way what many are sent is also compressed once for all of them.
 * Source: RFC 1951; https://protobuf.dev/programming-guides/encoding
 */
import { createHash } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { PACKING_DICTIONARY as dictionary } from "./packing-dictionary.ts";

/** Header of a call whose client reads packed messages as well as plain ones. */
export const PACKING_HEADER = "hauberk-accept-packing";
/** Its value tells the dictionary, too: whoever knows another one is sent plain messages, since it would read something else. */
export const PACKING: string = `deflate-${createHash("sha256").update(dictionary).digest("hex").slice(0, 16)}`;

/** No plain message begins with it: a field of protobuf has a number from 1. */
const MARK = 0;
/** Up to so many times its own bytes a packed message may have, or up to `ANYHOW_BYTES`: more is no configuration of anybody. */
const MOST_TIMES = 250;
const ANYHOW_BYTES = 1024 * 1024;
/** What one block can hold that is stored as it is. */
const MOST_STORED = 0xffff;
/** Of a block that is stored as it is, and is the last. */
const LAST_STORED = 1;

/**
 * @param place that of the only part, or of one that may stand anywhere
 * @returns bytes that may stand before others of their kind, and before the end, in a packed message
 */
export function packedPart(plain: readonly Uint8Array[], place: "only" | "any"): Uint8Array {
  const known = place === "only" ? { dictionary } : {};
  return deflateRawSync(Buffer.concat(plain), { finishFlush: constants.Z_SYNC_FLUSH, ...known });
}

/**
 * @param parts made by `packedPart`
 * @param rest what follows them, plain
 */
export function packedMessage(parts: readonly Uint8Array[], rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(MARK), ...parts, ...lastBlock(rest)]);
}

/** @returns what a message of so many bytes may have once it is unpacked, in bytes */
export function mostUnpacked(packedBytes: number): number {
  return Math.max(packedBytes * MOST_TIMES, ANYHOW_BYTES);
}

/**
 * @param maxBytes what the plain message may have at most, however long the packed one is
 * @throws RangeError, Error for what is packed and no such message
 */
export function unpackedMessage(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes[0] !== MARK) return bytes;
  const maxOutputLength = Math.min(mostUnpacked(bytes.length), maxBytes);
  return inflateRawSync(bytes.subarray(1), { maxOutputLength, dictionary });
}

/** Other for each receiver, and short: not worth the work. */
function lastBlock(rest: Uint8Array): readonly Uint8Array[] {
  if (rest.length > MOST_STORED) return [deflateRawSync(rest)];
  const head = Buffer.alloc(5);
  head.writeUInt8(LAST_STORED);
  head.writeUInt16LE(rest.length, 1);
  head.writeUInt16LE(~rest.length & MOST_STORED, 3);
  return [head, rest];
}
