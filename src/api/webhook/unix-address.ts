/** Addresses of Unix sockets: `unix:///path/to/socket`, or `unix://@name` for one without a file. */
import { quoted } from "../quoted.ts";

const SCHEME = "unix://";

export function isUnixAddress(address: string): boolean {
  return address.startsWith(SCHEME);
}

/** @param address one that `isUnixAddress` */
export function unixAddressProblem(address: string): string | undefined {
  const socket = address.slice(SCHEME.length);
  if (socket.startsWith("@") || (socket.startsWith("/") && !socket.endsWith("/"))) return undefined;
  return `${quoted(address)} is not a Unix socket; expected ${SCHEME} and the absolute path of a file, or "@" and a name`;
}
