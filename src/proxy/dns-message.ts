/** DNS queries in, answers out: the one door to the library that knows the records (RFC 1035, RFC 6891). */
import { type Answer, decode, encode, type OptAnswer } from "dns-packet";
import {
  DNS_RESPONSE_CODES,
  type DnsEnvelope,
  type DnsResponseCode,
  dnsFailure,
  readDnsEnvelope,
} from "../runtime/dns-envelope.ts";

const HEADER_BYTES = 12;
/** What every client can take over UDP, and the most that ours may (RFC 6891 section 6.2.3, 6.2.5). */
const MIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 4_096;
/** What we take, and say so. */
const OWN_UDP_BYTES = 1_232;
/** An OPT record, a signature, and some of which we know nothing. */
const MAX_ADDITIONAL_RECORDS = 4;

const AUTHORITATIVE = 0x0400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const CHECKING_DISABLED = 0x0010;
/** The upper bits of response code 16, BADVERS, which stand in the OPT record (RFC 6891 section 6.1.3). */
const BADVERS_EXTENDED = 1;

export interface DnsQuery {
  /** As it came. */
  readonly message: Buffer;
  /** In the case it was asked in. */
  readonly askedName: string;
  /** Lower case, without final dot; "." for the root. */
  readonly name: string;
  /** `A`, `AAAA`, ...; `UNKNOWN_65` for what has no name here. */
  readonly type: string;
  readonly recordClass: string;
  /** The longest answer the client takes over UDP. */
  readonly udpBytes: number;
  readonly extension: "none" | "edns0" | "unknown-version";
}

/** "ignore": it is no query, and an answer to it might go round for ever. */
export type ReceivedQuery = DnsQuery | { readonly faulty: Buffer } | "ignore";

/** Never throws, whatever came. */
export function parseDnsQuery(message: Buffer): ReceivedQuery {
  const envelope = readDnsEnvelope(message);
  if (envelope === undefined || envelope.kind === "response") return "ignore";
  if (envelope.opcode !== 0) return { faulty: dnsFailure(message, "NOTIMP") };
  const malformed = { faulty: dnsFailure(message, "FORMERR") };
  if (!isAcceptable(envelope)) return malformed;
  try {
    return readQuery(message);
  } catch {
    // What the library cannot read is by definition malformed; the client is told.
    return malformed;
  }
}

function isAcceptable({ question, recordCount, additionalCount }: DnsEnvelope): boolean {
  return question !== undefined && recordCount === 0 && additionalCount <= MAX_ADDITIONAL_RECORDS;
}

function readQuery(message: Buffer): DnsQuery {
  const { questions = [], additionals = [] } = decode(message);
  const [question] = questions;
  if (question === undefined) throw new RangeError("there is no question");
  const extensions = additionals.filter((record): record is OptAnswer => record.type === "OPT");
  if (extensions.length > 1) throw new RangeError("there may be one OPT record");
  const [extension] = extensions;
  return {
    message,
    askedName: question.name,
    name: asciiLowerCase(question.name),
    type: question.type,
    recordClass: question.class ?? "IN",
    udpBytes: udpBytesOf(extension),
    extension: extensionOf(extension),
  };
}

function udpBytesOf(extension: OptAnswer | undefined): number {
  const said = extension?.udpPayloadSize ?? MIN_UDP_BYTES;
  return Math.min(MAX_UDP_BYTES, Math.max(MIN_UDP_BYTES, said));
}

function extensionOf(extension: OptAnswer | undefined): DnsQuery["extension"] {
  if (extension === undefined) return "none";
  return extension.ednsVersion === 0 ? "edns0" : "unknown-version";
}

/** Names are compared without regard to ASCII case, and to no other (RFC 4343). */
function asciiLowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export type DnsRecord =
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "PTR"; readonly host: string };

export interface DnsReply {
  readonly code: DnsResponseCode;
  /** All of the name that was asked for. */
  readonly records: readonly DnsRecord[];
  /** The zone that says so, where there is nothing to answer with (RFC 2308). */
  readonly zone?: string;
}

export interface ComposeOptions {
  /** For how long a client may remember. */
  readonly ttlSeconds: number;
}

/** The question is given back byte for byte, with the case it came in (draft-vixie-dnsext-dns0x20). */
export function composeDnsReply(
  query: DnsQuery,
  { code, records, zone }: DnsReply,
  { ttlSeconds }: ComposeOptions,
): Buffer {
  const asked = query.message.readUInt16BE(2) & (RECURSION_DESIRED | CHECKING_DISABLED);
  const badVersion = query.extension === "unknown-version";
  const encoded = encode({
    type: "response",
    id: query.message.readUInt16BE(0),
    flags: asked | AUTHORITATIVE | RECURSION_AVAILABLE | DNS_RESPONSE_CODES[code],
    answers: records.map((record) => recordOf(record, query.askedName, ttlSeconds)),
    authorities: zone === undefined ? [] : [startOfAuthority(zone, ttlSeconds)],
    additionals:
      query.extension === "none" ? [] : [ownExtension(badVersion ? BADVERS_EXTENDED : 0)],
  });
  return withQuestion(encoded, query.message);
}

function recordOf(record: DnsRecord, name: string, ttl: number): Answer {
  if (record.type === "PTR") return { type: "PTR", name, ttl, data: record.host };
  return { type: record.type, name, ttl, data: record.address };
}

/** Names no real server: it only carries how long a client may remember that there is nothing (RFC 2308 section 3). */
function startOfAuthority(zone: string, ttlSeconds: number): Answer {
  const data = {
    mname: `ns.dns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: ttlSeconds,
  };
  return { type: "SOA", name: zone, ttl: ttlSeconds, data };
}

function ownExtension(extendedRcode: number): OptAnswer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: OWN_UDP_BYTES,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** The library writes names anew; the client's own bytes are put in instead. Its records point at no offset. */
function withQuestion(reply: Buffer, query: Buffer): Buffer {
  const question = readDnsEnvelope(query)?.question ?? Buffer.alloc(0);
  const header = Buffer.from(reply.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(question.length > 0 ? 1 : 0, 4);
  return Buffer.concat([header, question, reply.subarray(HEADER_BYTES)]);
}

/** A question of our own, to be sent under whatever id. */
export function composeDnsQuery(name: string, type: "A" | "AAAA"): Buffer {
  return encode({ type: "query", id: 0, flags: RECURSION_DESIRED, questions: [{ type, name }] });
}
