/** The parts of a request target and of a Host field, as bytes. */
import { HOST, IP_LITERAL } from "../byte-classes.ts";
import { isWord } from "./connection-options.ts";

const OPENING_BRACKET = 91;
const CLOSING_BRACKET = 93;
const COLON = 58;
const ZERO = 48;
const MAX_PORT_DIGITS = 5;
const HTTP = Buffer.from("http://");
const HTTPS = Buffer.from("https://");

/** Of `http://` or `https://` in any letter case; 0 if the target begins with neither. */
export function schemeLength(bytes: Uint8Array, start: number, end: number): number {
  for (const scheme of [HTTP, HTTPS]) {
    const range = { start, end: Math.min(end, start + scheme.length) };
    if (isWord(bytes, range, scheme)) return scheme.length;
  }
  return 0;
}

/**
 * A host name, an IPv4 or a bracketed IPv6 address, perhaps with a port; no user information (RFC 9110 section 4.2.4).
 * It may not be empty.
 */
export function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  const port = hostEnd(bytes, start, end);
  return port === end || (port > 0 && isPort(bytes, port, end));
}

/** An authority whose port is given. */
export function isHostAndPort(bytes: Uint8Array, start: number, end: number): boolean {
  const port = hostEnd(bytes, start, end);
  return port > 0 && isPort(bytes, port, end);
}

/** The offset behind the host; -1 if there is none. */
function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  const isLiteral = bytes[start] === OPENING_BRACKET;
  const allowed = isLiteral ? IP_LITERAL : HOST;
  let at = isLiteral ? start + 1 : start;
  const first = at;
  while (at < end && allowed[bytes[at] ?? 0] === 1) at++;
  if (at === first) return -1;
  if (!isLiteral) return at;
  return at < end && bytes[at] === CLOSING_BRACKET ? at + 1 : -1;
}

function isPort(bytes: Uint8Array, colon: number, end: number): boolean {
  const digits = end - colon - 1;
  if (bytes[colon] !== COLON || digits < 1 || digits > MAX_PORT_DIGITS) return false;
  for (let index = colon + 1; index < end; index++) {
    const digit = (bytes[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}
