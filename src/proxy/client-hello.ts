/**
 * Reads a TLS ClientHello without taking it from the connection: which filter chain serves a connection is decided by
 * the protocols the client offers, before any handshake (PA-30..PA-38). Format: RFC 8446 section 4.1.2.
 */
import { HauberkError } from "../runtime/hauberk-error.ts";

export interface ClientHello {
  /** ALPN names in the client's order; empty when it offers none. */
  readonly applicationProtocols: readonly string[];
  /** SNI in lower case. */
  readonly serverName?: string;
}

export type ClientHelloReading =
  | { readonly status: "complete"; readonly hello: ClientHello }
  /** So far it could be one: more bytes are needed. */
  | { readonly status: "incomplete" }
  /** Not a ClientHello that could be answered. */
  | { readonly status: "invalid"; readonly problem: string };

/** Records and headers included; a longer one is refused. Hellos with post-quantum keys take about 2 KiB. */
export const MAX_CLIENT_HELLO_BYTES = 16_384;

const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_BYTES = 5;
const MAX_RECORD_BYTES = 16_384;
const HANDSHAKE_CLIENT_HELLO = 1;
const HANDSHAKE_HEADER_BYTES = 4;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const HOST_NAME = 0;
const PRINTABLE = /^[!-~]+$/;

class ClientHelloError extends HauberkError {
  readonly code = "HAUBERK_CLIENT_HELLO";
}

/** Reads as much as is there; never throws, never looks past `MAX_CLIENT_HELLO_BYTES`. */
export function readClientHello(bytes: Buffer): ClientHelloReading {
  try {
    const message = handshakeMessage(bytes.subarray(0, MAX_CLIENT_HELLO_BYTES));
    if (message !== undefined) return { status: "complete", hello: parseClientHello(message) };
    if (bytes.length < MAX_CLIENT_HELLO_BYTES) return { status: "incomplete" };
    return { status: "invalid", problem: `it is longer than ${MAX_CLIENT_HELLO_BYTES} bytes` };
  } catch (error) {
    if (error instanceof ClientHelloError) return { status: "invalid", problem: error.message };
    throw error;
  }
}

/** Joins the fragments of the first handshake message; it may span records. */
function handshakeMessage(bytes: Buffer): Buffer | undefined {
  const fragments: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; at < bytes.length; ) {
    const fragment = recordFragment(bytes, at);
    if (fragment === undefined) return undefined;
    fragments.push(fragment.data);
    gathered += fragment.data.length;
    const length = messageLength(fragments);
    if (length !== undefined && gathered >= length) {
      if (gathered > length) throw new ClientHelloError("bytes follow it in its record");
      return Buffer.concat(fragments).subarray(HANDSHAKE_HEADER_BYTES);
    }
    if (!fragment.complete) return undefined;
    at += RECORD_HEADER_BYTES + fragment.data.length;
  }
  return undefined;
}

function recordFragment(
  bytes: Buffer,
  at: number,
): { readonly data: Buffer; readonly complete: boolean } | undefined {
  if (bytes[at] !== RECORD_HANDSHAKE) throw new ClientHelloError("it is no handshake record");
  if (bytes.length > at + 1 && bytes[at + 1] !== 3)
    throw new ClientHelloError("its record version is unknown");
  if (bytes.length < at + RECORD_HEADER_BYTES) return undefined;
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0 || length > MAX_RECORD_BYTES)
    throw new ClientHelloError("its record length is out of range");
  const start = at + RECORD_HEADER_BYTES;
  const data = bytes.subarray(start, start + length);
  return { data, complete: data.length === length };
}

/** Header included; undefined while the header itself is incomplete. */
function messageLength(fragments: readonly Buffer[]): number | undefined {
  const header = Buffer.concat(fragments).subarray(0, HANDSHAKE_HEADER_BYTES);
  if (header.length > 0 && header[0] !== HANDSHAKE_CLIENT_HELLO)
    throw new ClientHelloError("its handshake does not begin with a ClientHello");
  if (header.length < HANDSHAKE_HEADER_BYTES) return undefined;
  const length = HANDSHAKE_HEADER_BYTES + header.readUIntBE(1, 3);
  if (length > MAX_CLIENT_HELLO_BYTES)
    throw new ClientHelloError(`it is longer than ${MAX_CLIENT_HELLO_BYTES} bytes`);
  return length;
}

function parseClientHello(message: Buffer): ClientHello {
  const fields = new Fields(message);
  fields.take(2 + 32);
  if (fields.vector(1).remaining > 32) throw new ClientHelloError("its session id is too long");
  const suites = fields.vector(2).remaining;
  if (suites === 0 || suites % 2 !== 0) throw new ClientHelloError("its cipher suites are odd");
  if (fields.vector(1).remaining === 0) throw new ClientHelloError("it has no compression method");
  if (fields.remaining === 0) return { applicationProtocols: [] };
  const extensions = fields.vector(2);
  fields.end();
  return parseExtensions(extensions);
}

function parseExtensions(extensions: Fields): ClientHello {
  const seen = new Set<number>();
  let applicationProtocols: readonly string[] = [];
  let serverName: string | undefined;
  while (extensions.remaining > 0) {
    const type = extensions.integer(2);
    const body = extensions.vector(2);
    if (seen.has(type)) throw new ClientHelloError(`extension ${type} is there twice`);
    seen.add(type);
    if (type === EXTENSION_ALPN) applicationProtocols = parseProtocolNames(body);
    if (type === EXTENSION_SERVER_NAME) serverName = parseServerName(body);
  }
  return { applicationProtocols, ...(serverName === undefined ? {} : { serverName }) };
}

/** RFC 7301 section 3.1 */
function parseProtocolNames(body: Fields): string[] {
  const list = body.vector(2);
  body.end();
  const names: string[] = [];
  while (list.remaining > 0) {
    const name = list.vector(1).rest();
    if (name.length === 0) throw new ClientHelloError("an ALPN name is empty");
    names.push(name.toString("latin1"));
  }
  if (names.length === 0) throw new ClientHelloError("its ALPN list is empty");
  return names;
}

/** RFC 6066 section 3: exactly one name of type host_name is in use. */
function parseServerName(body: Fields): string {
  const list = body.vector(2);
  body.end();
  if (list.integer(1) !== HOST_NAME)
    throw new ClientHelloError("its server name is of no known type");
  const name = list.vector(2).rest().toString("latin1");
  list.end();
  if (name.length > 255 || !PRINTABLE.test(name))
    throw new ClientHelloError("its server name is not a host name");
  return name.toLowerCase();
}

/** A cursor over length-prefixed fields that cannot leave its bytes. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  take(count: number): Buffer {
    if (count > this.remaining) throw new ClientHelloError("a field is longer than its container");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
  rest(): Buffer {
    return this.take(this.remaining);
  }
  integer(width: number): number {
    return this.take(width).readUIntBE(0, width);
  }
  vector(lengthWidth: number): Fields {
    return new Fields(this.take(this.integer(lengthWidth)));
  }
  end(): void {
    if (this.remaining > 0) throw new ClientHelloError("bytes follow its last field");
  }
}
