/**
 * The field names that the data path must know, each with a small number, so that a name need not become a string: one
 * table for HTTP/1 (any letter case) and HTTP/2.
 */
import { LOWER_CASE } from "./byte-classes.ts";

/** What framing and hop-by-hop rules ask about comes first: whether a message has it is kept in one 32-bit word. */
export const FIELD = {
  /** Any name that is not listed here. */
  other: 0,
  host: 1,
  "content-length": 2,
  "transfer-encoding": 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  trailer: 8,
  "keep-alive": 9,
  "proxy-connection": 10,
  "proxy-authorization": 11,
  "proxy-authenticate": 12,
  "http2-settings": 13,
  authorization: 14,
  cookie: 15,
  forwarded: 16,
  "x-request-id": 17,
  "x-forwarded-for": 18,
  "x-forwarded-proto": 19,
  "x-forwarded-host": 20,
  "x-forwarded-port": 21,
  "x-forwarded-client-cert": 22,
  ":authority": 23,
  ":method": 24,
  ":path": 25,
  ":scheme": 26,
  ":status": 27,
  ":protocol": 28,
  "accept-charset": 29,
  "accept-encoding": 30,
  "accept-language": 31,
  "accept-ranges": 32,
  accept: 33,
  "access-control-allow-origin": 34,
  "access-control-request-method": 35,
  age: 36,
  allow: 37,
  baggage: 38,
  "cache-control": 39,
  "content-disposition": 40,
  "content-encoding": 41,
  "content-language": 42,
  "content-location": 43,
  "content-range": 44,
  "content-type": 45,
  date: 46,
  etag: 47,
  expires: 48,
  from: 49,
  "grpc-encoding": 50,
  "grpc-message": 51,
  "grpc-status": 52,
  "grpc-timeout": 53,
  "if-match": 54,
  "if-modified-since": 55,
  "if-none-match": 56,
  "if-range": 57,
  "if-unmodified-since": 58,
  "last-modified": 59,
  link: 60,
  location: 61,
  "max-forwards": 62,
  origin: 63,
  range: 64,
  referer: 65,
  refresh: 66,
  "retry-after": 67,
  "sec-websocket-accept": 68,
  "sec-websocket-key": 69,
  server: 70,
  "set-cookie": 71,
  "strict-transport-security": 72,
  traceparent: 73,
  tracestate: 74,
  "user-agent": 75,
  vary: 76,
  via: 77,
  "www-authenticate": 78,
  "x-envoy-external-address": 79,
} as const;

export type KnownFieldName = Exclude<keyof typeof FIELD, "other">;

/** By number; the empty string for `FIELD.other`. */
export const FIELD_NAMES: readonly string[] = Object.entries(FIELD).map(([name, id]) =>
  id === FIELD.other ? "" : name,
);
/** How many numbers there are. */
export const FIELD_IDS: number = FIELD_NAMES.length;

const SLOTS = 512;
/** All names, one after the other, and where each begins. */
const LETTERS: Uint8Array = Buffer.from(FIELD_NAMES.join(""), "latin1");
const NAME_LENGTH: Uint8Array = Uint8Array.from(FIELD_NAMES, (name) => name.length);
const NAME_START = new Uint16Array(FIELD_IDS);
/** The number of the first name of a slot; further ones with the same slot follow in `NEXT_ID`. */
const FIRST_ID = new Uint8Array(SLOTS);
const NEXT_ID = new Uint8Array(FIELD_IDS);

let letters = 0;
for (const [id, name] of FIELD_NAMES.entries()) {
  if (id === FIELD.other) continue;
  NAME_START[id] = letters;
  const slot = slotOf(LETTERS, letters, letters + name.length);
  letters += name.length;
  NEXT_ID[id] = FIRST_ID[slot] ?? 0;
  FIRST_ID[slot] = id;
}

export function fieldId(name: KnownFieldName): number {
  return FIELD[name];
}

/** The number of the name in `bytes` from `start` to before `end`, whatever its letter case; `FIELD.other` if not listed. */
export function fieldIdOf(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return FIELD.other;
  let id = FIRST_ID[slotOf(bytes, start, end)] ?? 0;
  while (id !== FIELD.other) {
    if (NAME_LENGTH[id] === end - start) {
      let letter = NAME_START[id] ?? 0;
      let at = start;
      while (at < end && LOWER_CASE[bytes[at] ?? 0] === LETTERS[letter]) {
        at++;
        letter++;
      }
      if (at === end) return id;
    }
    id = NEXT_ID[id] ?? 0;
  }
  return FIELD.other;
}

/** Of letters of either case alike. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const first = (bytes[start] ?? 0) | 32;
  const last = (bytes[end - 1] ?? 0) | 32;
  return ((end - start) * 77 + first * 13 + last * 5) & (SLOTS - 1);
}
