/**
 * Tells TLS, HTTP/1, HTTP/2 and everything else apart by the first bytes a client sends. Pure: `first-bytes.ts` reads them.
 *
 * Whatever a server of HTTP/1 might take for a request is HTTP here, and so is what may still become one: as TCP it would
 * bring its forged headers with it. HTTP/2 is what begins with its preface, octet for octet: what only resembles it is
 * HTTP/1, whose parser refuses it.
 */
import { METHODS } from "node:http";
import { type ClientHello, readClientHello } from "./client-hello.ts";
import type { HttpFraming } from "./mesh-protocols.ts";

export type DetectedProtocol =
  | { readonly kind: "tls"; readonly hello: ClientHello }
  /** HTTP/1, or what may become it. */
  | { readonly kind: "http" }
  | { readonly kind: "http2" }
  /** Anything else, also what only begins like TLS. */
  | { readonly kind: "tcp" };

/** How HTTP is to be read, on a connection that carries it whatever was found: what is not HTTP/2 is HTTP/1's to refuse. */
export function framingOf({ kind }: DetectedProtocol): HttpFraming {
  return kind === "http2" ? "HTTP/2" : "HTTP/1";
}

/** Undefined: more bytes are needed to tell. */
export type Detector = (bytes: Buffer) => DetectedProtocol | undefined;

const TCP: DetectedProtocol = { kind: "tcp" };
const HTTP: DetectedProtocol = { kind: "http" };
const HTTP_2: DetectedProtocol = { kind: "http2" };
/** Beyond this many bytes without a line end, a request line is taken for what it may become. */
const MAX_REQUEST_LINE_BYTES = 8_192;
/** No text protocol begins with this byte. */
const TLS_HANDSHAKE = 22;
/** RFC 9113 section 3.4. */
const HTTP_2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** Of RTSP (RFC 2326), and HTTP/2's word: node:http reads requests by these methods, too. */
const OTHER_METHODS =
  "ANNOUNCE DESCRIBE FLUSH GET_PARAMETER PAUSE PLAY PRI RECORD REDIRECT SETUP SET_PARAMETER TEARDOWN";
const KNOWN_METHODS: ReadonlySet<string> = new Set([...METHODS, ...OTHER_METHODS.split(" ")]);
/** What any server skips before a request line, or between its words. */
const SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0]`;
const LEADING_SPACE = new RegExp(`^${SPACE}+`);
const WORDS = new RegExp(`${SPACE}+`);
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/;
const HTTP_VERSION = /^HTTP\//i;

/** For ports that carry bytes, or where plaintext is refused. */
export const detectTls: Detector = (bytes) => {
  if (bytes.length === 0) return undefined;
  return bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : TCP;
};

/** For ports whose protocol is found out. */
export const detectTlsOrHttp: Detector = (bytes) =>
  bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : detectHttp(bytes);

/** For ports that are declared HTTP and take plaintext. */
export const detectTlsOrHttpFraming: Detector = (bytes) =>
  bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : detectHttpFraming(bytes);

/** For connections that carry HTTP in any case. */
export const detectHttpFraming: Detector = (bytes) => {
  const read = bytes.toString("latin1", 0, HTTP_2_PREFACE.length);
  if (!HTTP_2_PREFACE.startsWith(read)) return HTTP;
  return read.length < HTTP_2_PREFACE.length ? undefined : HTTP_2;
};

/**
 * For connections that are declared HTTP/2. Clients of HTTP/1 are served as well; what is neither is HTTP/2's to refuse, by
 * GOAWAY (RFC 9113 section 3.4).
 */
export const detectHttp2Framing: Detector = (bytes) => {
  const detected = detectHttp(bytes);
  return detected === TCP ? HTTP_2 : detected;
};

/** For ports that are declared HTTP/2 and take plaintext. */
export const detectTlsOrHttp2Framing: Detector = (bytes) =>
  bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : detectHttp2Framing(bytes);

/** For an application's own outgoing connections: its TLS is opaque to us. */
export const detectHttp: Detector = (bytes) => {
  const framing = detectHttpFraming(bytes);
  if (framing !== HTTP) return framing;
  const read = bytes.toString("latin1", 0, MAX_REQUEST_LINE_BYTES);
  const start = read.replace(LEADING_SPACE, "");
  const end = start.indexOf("\n");
  const line = end < 0 ? start : start.slice(0, end);
  const [method = "", ...rest] = line.split(WORDS);
  if (KNOWN_METHODS.has(method) && /[^\r]/.test(line.slice(method.length))) return HTTP;
  if (!TOKEN.test(method) || hasControl(line)) return TCP;
  if (end >= 0) return rest.some((word) => HTTP_VERSION.test(word)) ? HTTP : TCP;
  return bytes.length < MAX_REQUEST_LINE_BYTES ? undefined : HTTP;
};

/** What a client is taken for that stops before a detector knows: it may still go on, but for one that ended. */
export function stalledProtocol(bytes: Buffer): DetectedProtocol {
  return bytes.length === 0 || bytes[0] === TLS_HANDSHAKE ? TCP : HTTP;
}

/** Beyond those that count as space. */
function hasControl(line: string): boolean {
  return Buffer.from(line, "latin1").some(
    (byte) => byte < 9 || (byte > 13 && byte < 28) || byte === 127,
  );
}

function tlsOrTcp(bytes: Buffer): DetectedProtocol | undefined {
  const reading = readClientHello(bytes);
  if (reading.status === "incomplete") return undefined;
  return reading.status === "complete" ? { kind: "tls", hello: reading.hello } : TCP;
}
