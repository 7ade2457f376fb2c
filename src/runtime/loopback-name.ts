/** Names that a server on loopback is asked under. A web page in a browser can send it requests under its own name, but not under these. */
const LOOPBACK_NAME = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

/** @param host of a request, with or without a port */
export function isLoopbackName(host: string): boolean {
  return LOOPBACK_NAME.test(host);
}
