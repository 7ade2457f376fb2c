/** What pseudo-fields must say (RFC 9113 section 8.3), so that a request has one method, one place and one path. */
import { LOWER_CASE, METHOD_NAME, TARGET } from "../byte-classes.ts";
import { FIELD } from "../field-names.ts";
import { isAuthority } from "../http1/request-target.ts";
import { METHOD, methodIdAt } from "../methods.ts";

/** Where the pseudo-fields of a message lie, by id. */
export interface PseudoFields {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  has(id: number): boolean;
}

const SLASH = 0x2f;
const ASTERISK = 0x2a;
const ZERO = 0x30;
const HTTP = Buffer.from("http");
const HTTPS = Buffer.from("https");

/** @returns what is wrong, and of which method the request is: see `METHOD` */
export function judgeRequest(fields: PseudoFields): {
  readonly problem: string;
  readonly method: number;
} {
  const start = fields.starts[FIELD[":method"]] ?? 0;
  const end = fields.ends[FIELD[":method"]] ?? 0;
  if (start === end || !isAll(METHOD_NAME, fields.bytes, { start, end })) return NO_METHOD;
  const method = methodIdAt(fields.bytes, start, end);
  const isTunnel = method === METHOD.CONNECT;
  const problem = isTunnel ? sayTunnelFault(fields) : sayPlaceFault(fields, method);
  return problem === "" ? (GOOD[method] ?? NO_METHOD) : { problem, method };
}

/** @returns 0 when it is not the status of an HTTP/2 response: of three digits, 100 to 599, and not 101 */
export function statusAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 3) return 0;
  let status = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status < 100 || status > 599 || status === 101 ? 0 : status;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether two texts in one buffer are the same but for the case of letters. */
export function isSameText(bytes: Uint8Array, one: Range, other: Range): boolean {
  if (one.end - one.start !== other.end - other.start) return false;
  for (let at = one.start, beside = other.start; at < one.end; at++, beside++) {
    if (LOWER_CASE[bytes[at] ?? 0] !== LOWER_CASE[bytes[beside] ?? 0]) return false;
  }
  return true;
}

/** RFC 9113 section 8.5. Extended CONNECT (RFC 8441) is not offered, and `:protocol` so malformed. */
function sayTunnelFault(fields: PseudoFields): string {
  if (fields.has(FIELD[":path"]) || fields.has(FIELD[":scheme"])) {
    return "CONNECT with a path or a scheme";
  }
  return fields.has(FIELD[":authority"]) ? sayAuthorityFault(fields) : "CONNECT without :authority";
}

function sayPlaceFault(fields: PseudoFields, method: number): string {
  if (!fields.has(FIELD[":scheme"])) return "no :scheme";
  if (!isWebScheme(fields)) return "a :scheme other than http and https";
  const { bytes, starts, ends } = fields;
  const start = starts[FIELD[":path"]] ?? 0;
  const end = ends[FIELD[":path"]] ?? 0;
  if (start === end) return "no :path";
  if (!isAll(TARGET, bytes, { start, end })) return "a character in :path that may not stand there";
  const isAsterisk = bytes[start] === ASTERISK && end - start === 1;
  if (isAsterisk ? method !== METHOD.OPTIONS : bytes[start] !== SLASH)
    return "a :path that is none";
  return fields.has(FIELD[":authority"]) ? sayAuthorityFault(fields) : "";
}

function sayAuthorityFault({ bytes, starts, ends }: PseudoFields): string {
  const start = starts[FIELD[":authority"]] ?? 0;
  const end = ends[FIELD[":authority"]] ?? 0;
  return isAuthority(bytes, start, end) ? "" : "an :authority that is none";
}

function isWebScheme({ bytes, starts, ends }: PseudoFields): boolean {
  const start = starts[FIELD[":scheme"]] ?? 0;
  const length = (ends[FIELD[":scheme"]] ?? 0) - start;
  const expected = length === HTTPS.length ? HTTPS : HTTP;
  if (length !== expected.length) return false;
  for (let at = 0; at < length; at++) {
    if (LOWER_CASE[bytes[start + at] ?? 0] !== expected[at]) return false;
  }
  return true;
}

function isAll(allowed: Uint8Array, bytes: Uint8Array, { start, end }: Range): boolean {
  for (let at = start; at < end; at++) if (allowed[bytes[at] ?? 0] !== 1) return false;
  return true;
}

const NO_METHOD = { problem: "no :method, or one that is none", method: METHOD.other } as const;
/** By method; made once. */
const GOOD = Object.values(METHOD).map((method) => ({ problem: "", method }));
