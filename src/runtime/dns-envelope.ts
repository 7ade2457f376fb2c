/**
 * What can be told of a DNS message without reading its records: header and question (RFC 1035 section 4.1). Whoever only
 * passes messages on needs no more, and cannot be led astray by the rest.
 */
const HEADER_BYTES = 12;
/** A label of the question may not be longer; larger lengths would be pointers, which have nothing to point to there. */
const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;

const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const RESPONSE_CODE = 0x000f;

/** The response codes that this mesh gives itself (RFC 1035 section 4.1.1). */
export const DNS_RESPONSE_CODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;
export type DnsResponseCode = keyof typeof DNS_RESPONSE_CODES;

export interface DnsEnvelope {
  readonly id: number;
  readonly kind: "query" | "response";
  readonly opcode: number;
  readonly truncation: "whole" | "truncated";
  /** As a number: others give more than we know. */
  readonly responseCode: number;
  readonly questionCount: number;
  /** Of answers and authorities. */
  readonly recordCount: number;
  readonly additionalCount: number;
  /** The bytes of the question; absent unless there is exactly one, and it is well formed. */
  readonly question?: Buffer;
}

/** @returns undefined when there is not even a header */
export function readDnsEnvelope(message: Buffer): DnsEnvelope | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  const questionCount = message.readUInt16BE(4);
  const question = questionCount === 1 ? questionOf(message) : undefined;
  return {
    id: message.readUInt16BE(0),
    kind: (flags & RESPONSE) === 0 ? "query" : "response",
    opcode: (flags & OPCODE) >> 11,
    truncation: (flags & TRUNCATED) === 0 ? "whole" : "truncated",
    responseCode: flags & RESPONSE_CODE,
    questionCount,
    recordCount: message.readUInt16BE(6) + message.readUInt16BE(8),
    additionalCount: message.readUInt16BE(10),
    ...(question && { question }),
  };
}

/** The same message under another id. */
export function withDnsId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Whether two questions are the same: names without regard to case, which a server need not keep. */
export function sameDnsQuestion(one: Buffer, other: Buffer): boolean {
  return lowerCaseName(one) === lowerCaseName(other) && kindOf(one).equals(kindOf(other));
}

/** Type and class, the last four bytes. */
function kindOf(question: Buffer): Buffer {
  return question.subarray(-4);
}

function lowerCaseName(question: Buffer): string {
  return question
    .toString("latin1", 0, question.length - 4)
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** @param query at least a header */
export function dnsFailure(query: Buffer, code: DnsResponseCode): Buffer {
  return replyWithoutRecords(query, DNS_RESPONSE_CODES[code]);
}

/** What a client is told whose buffer is too small: to ask again over TCP (RFC 2181 section 9). */
export function dnsTruncation(query: Buffer): Buffer {
  return replyWithoutRecords(query, TRUNCATED);
}

function replyWithoutRecords(query: Buffer, flags: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const question = readDnsEnvelope(query)?.question ?? Buffer.alloc(0);
  const kept = query.readUInt16BE(2) & (OPCODE | RECURSION_DESIRED);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(RESPONSE | RECURSION_AVAILABLE | kept | flags, 2);
  header.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  return Buffer.concat([header, question]);
}

function questionOf(message: Buffer): Buffer | undefined {
  let at = HEADER_BYTES;
  for (let length = message[at]; length !== 0; length = message[at]) {
    if (length === undefined || length > MAX_LABEL_BYTES) return undefined;
    at += 1 + length;
  }
  const end = at + 1 + 4;
  if (at + 1 - HEADER_BYTES > MAX_NAME_BYTES || end > message.length) return undefined;
  return message.subarray(HEADER_BYTES, end);
}
