/** Tells TLS, HTTP/1 and everything else apart by the first bytes a client sends. Pure: `first-bytes.ts` reads them. */
import { METHODS } from "node:http";
import { type ClientHello, readClientHello } from "./client-hello.ts";

export type DetectedProtocol =
  | { readonly kind: "tls"; readonly hello: ClientHello }
  | { readonly kind: "http" }
  /** Anything else, also what only begins like TLS. */
  | { readonly kind: "tcp" };

/** Undefined: more bytes are needed to tell. */
export type Detector = (bytes: Buffer) => DetectedProtocol | undefined;

const TCP: DetectedProtocol = { kind: "tcp" };
const HTTP: DetectedProtocol = { kind: "http" };
/** Beyond this many bytes without a line end, a request line is taken for what it began as. */
const MAX_REQUEST_LINE_BYTES = 8_192;
/** No text protocol begins with this byte. */
const TLS_HANDSHAKE = 22;
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const LONGEST_METHOD = Math.max(...METHODS.map((method) => method.length));
const REQUEST_LINE_END = / HTTP\/1\.[01]\r?$/;

/** For ports whose plaintext protocol is declared. */
export const detectTls: Detector = (bytes) => {
  if (bytes.length === 0) return undefined;
  return bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : TCP;
};

/** For ports whose protocol is found out. */
export const detectTlsOrHttp: Detector = (bytes) =>
  bytes[0] === TLS_HANDSHAKE ? tlsOrTcp(bytes) : detectHttp(bytes);

/** For an application's own outgoing connections: its TLS is opaque to us. HTTP/2 counts as TCP here. */
export const detectHttp: Detector = (bytes) => {
  const start = bytes.subarray(0, MAX_REQUEST_LINE_BYTES).toString("latin1");
  const space = start.indexOf(" ");
  if (space < 0) return mayBeMethod(start) ? undefined : TCP;
  if (!KNOWN_METHODS.has(start.slice(0, space))) return TCP;
  const end = start.indexOf("\n");
  if (end < 0) return bytes.length < MAX_REQUEST_LINE_BYTES ? undefined : HTTP;
  return REQUEST_LINE_END.test(start.slice(0, end)) ? HTTP : TCP;
};

function tlsOrTcp(bytes: Buffer): DetectedProtocol | undefined {
  const reading = readClientHello(bytes);
  if (reading.status === "incomplete") return undefined;
  return reading.status === "complete" ? { kind: "tls", hello: reading.hello } : TCP;
}

function mayBeMethod(start: string): boolean {
  return start.length < LONGEST_METHOD && METHODS.some((method) => method.startsWith(start));
}
