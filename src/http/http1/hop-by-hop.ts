/** Which fields of a received head are for this hop only (RFC 9110 section 7.6.1): one answer for whoever writes a head on. */
import { LOWER_CASE } from "../byte-classes.ts";
import { FIELD } from "../field-names.ts";
import { isWord, itemAt, OPTION, type Range } from "./connection-options.ts";
import type { MessageHead } from "./message-head.ts";

/** Left out of whatever goes on; a body is framed anew, so its coding is among them. */
const HOP_BY_HOP =
  (1 << FIELD.connection) |
  (1 << FIELD["transfer-encoding"]) |
  (1 << FIELD.upgrade) |
  (1 << FIELD.expect) |
  (1 << FIELD.te) |
  (1 << FIELD.trailer) |
  (1 << FIELD["keep-alive"]) |
  (1 << FIELD["proxy-connection"]) |
  (1 << FIELD["proxy-authorization"]) |
  (1 << FIELD["proxy-authenticate"]) |
  (1 << FIELD["http2-settings"]);
/**
 * What a peer may not have left out by naming it in `Connection`: it says where a message goes, where it ends, or who sent
 * it and for whom. The same holds for every name that begins with `x-forwarded-`.
 */
const NEVER_NOMINATED =
  (1 << FIELD.host) |
  (1 << FIELD["content-length"]) |
  (1 << FIELD["transfer-encoding"]) |
  (1 << FIELD.authorization) |
  (1 << FIELD.cookie) |
  (1 << FIELD.forwarded) |
  (1 << FIELD["x-request-id"]);
const X_FORWARDED = Buffer.from("x-forwarded-");

/**
 * Sets `leftOut[index]` to 1 for each field that is for this hop only, and leaves all others as they are.
 *
 * @returns how many were 0 before
 */
export function markHopByHop(head: MessageHead, leftOut: Uint8Array): number {
  if ((head.seen & HOP_BY_HOP) === 0) return 0;
  const { ids, count } = head;
  let marked = 0;
  for (let index = 0; index < count; index++) {
    const id = ids[index] ?? 0;
    if (id > 0 && id < 32 && (HOP_BY_HOP & (1 << id)) !== 0) marked += mark(leftOut, index);
  }
  if ((head.options & OPTION.nominates) === 0) return marked;
  for (let index = 0; index < count; index++) {
    if (ids[index] === FIELD.connection) marked += markNominated(head, index, leftOut);
  }
  return marked;
}

function markNominated(head: MessageHead, connection: number, leftOut: Uint8Array): number {
  const { bytes, ranges } = head;
  const end = ranges[4 * connection + 3] ?? 0;
  let marked = 0;
  for (let at = ranges[4 * connection + 2] ?? 0; at < end; ) {
    const option = itemAt(bytes, at, end);
    at = option.next;
    for (let index = 0; index < head.count; index++) {
      const isNamed = isSameName(head, index, option) && mayBeNominated(head, index);
      if (isNamed) marked += mark(leftOut, index);
    }
  }
  return marked;
}

function mark(leftOut: Uint8Array, index: number): 0 | 1 {
  if (leftOut[index] === 1) return 0;
  leftOut[index] = 1;
  return 1;
}

function mayBeNominated({ bytes, ids, ranges }: MessageHead, index: number): boolean {
  const id = ids[index] ?? 0;
  if (id > 0 && id < 32 && (NEVER_NOMINATED & (1 << id)) !== 0) return false;
  const start = ranges[4 * index] ?? 0;
  return !isWord(bytes, { start, end: start + X_FORWARDED.length }, X_FORWARDED);
}

function isSameName({ bytes, ranges }: MessageHead, index: number, option: Range): boolean {
  const start = ranges[4 * index] ?? 0;
  const length = option.end - option.start;
  if (length === 0 || (ranges[4 * index + 1] ?? 0) - start !== length) return false;
  for (let offset = 0; offset < length; offset++) {
    const [one, other] = [bytes[start + offset] ?? 0, bytes[option.start + offset] ?? 0];
    if (LOWER_CASE[one] !== LOWER_CASE[other]) return false;
  }
  return true;
}
