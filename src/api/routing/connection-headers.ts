/**
 * Headers that are of one connection, or say where a message ends: whoever writes the message writes them, and no route
 * does. A second word on where an answer ends would let whoever shares the connection read another's (RFC 9112 section 11.2).
 */
const NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** @param name in any letter case */
export function isOfConnection(name: string): boolean {
  return NAMES.has(name.toLowerCase());
}

export const OF_CONNECTION =
  "has no effect: whoever writes a message says this of it, and no route";
