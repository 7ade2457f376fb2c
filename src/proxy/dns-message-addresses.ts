/**
 * The addresses in an answer to a question of our own (RFC 1035 section 4.1). Whoever answers for a name may be anybody:
 * names of records are passed over and not put together, so that no answer costs more than its length.
 */
import { DNS_RESPONSE_CODES, readDnsEnvelope } from "../runtime/dns-envelope.ts";

export interface AddressRecord {
  readonly address: string;
  readonly ttlSeconds: number;
}

const HEADER_BYTES = 12;
/** Type, class, time to live, length. */
const FIXED_BYTES = 10;
const INTERNET = 1;
/** The two upper bits of a length say that a pointer stands here (RFC 1035 section 4.1.4); other lengths are below 64. */
const POINTER = 0xc0;
/** More than a name needs. */
const MAX_RECORDS = 256;

const TYPES = { A: { number: 1, bytes: 4 }, AAAA: { number: 28, bytes: 16 } } as const;

/** Behind whatever aliases; none where it cannot be read, or says that there is no such name. */
export function readDnsAddresses(message: Buffer, type: "A" | "AAAA"): readonly AddressRecord[] {
  const envelope = readDnsEnvelope(message);
  if (envelope?.question === undefined || envelope.kind !== "response") return [];
  if (envelope.responseCode !== DNS_RESPONSE_CODES.NOERROR) return [];
  const wanted = TYPES[type];
  const found: AddressRecord[] = [];
  let at = HEADER_BYTES + envelope.question.length;
  for (let left = Math.min(MAX_RECORDS, message.readUInt16BE(6)); left > 0; left--) {
    const fixed = endOfName(message, at);
    if (fixed === undefined || fixed + FIXED_BYTES > message.length) return found;
    const start = fixed + FIXED_BYTES;
    at = start + message.readUInt16BE(fixed + 8);
    if (at > message.length) return found;
    if (message.readUInt16BE(fixed) !== wanted.number) continue;
    if (message.readUInt16BE(fixed + 2) !== INTERNET || at - start !== wanted.bytes) continue;
    const address = addressIn(message.subarray(start, at));
    found.push({ address, ttlSeconds: message.readUInt32BE(fixed + 4) });
  }
  return found;
}

/** @returns undefined where it does not end */
function endOfName(message: Buffer, from: number): number | undefined {
  let at = from;
  for (let length = message[at]; length !== undefined; length = message[at]) {
    if (length === 0) return at + 1;
    if (length >= POINTER) return at + 2;
    if (length >= 64) return undefined;
    at += 1 + length;
  }
  return undefined;
}

function addressIn(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(
    ":",
  );
}
