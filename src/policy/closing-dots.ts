/** A name may be written as absolute, with a closing dot (RFC 1034 section 3.1): most servers take it for the same host. */

const CLOSING_DOTS = /([^.])\.+(:\d+)?$/;

/** @param authority a host and perhaps a port, which stays */
export function withoutClosingDots(authority: string): string {
  if (!authority.endsWith(".") && !authority.includes(".:")) return authority;
  return authority.replace(CLOSING_DOTS, "$1$2");
}
