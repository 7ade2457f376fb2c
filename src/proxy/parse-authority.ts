/** Where a request goes, as text: the name and port that destinations are found by. */

/** A host name, IPv4 or bracketed IPv6 address, perhaps with a port; no user information (RFC 9110 section 4.2.4). */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]+)(:[0-9]{1,5})?$/i;

/** Splits `host:port`; the host in lower case, without brackets and without a closing dot. */
export function parseAuthority(
  authority: string,
): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, host, port] = AUTHORITY.exec(authority) ?? [];
  if (host === undefined) return undefined;
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  return { host: name, port: port === undefined ? undefined : Number(port.slice(1)) };
}
