/** Where a request goes: its target and Host, read once, so that policy, log and application see the same (QK-6). */

export type RequestTarget =
  | { readonly authority: string | undefined; readonly path: string }
  | { readonly problem: string };

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;
/** A host name, IPv4 or bracketed IPv6 address, perhaps with a port; no user information (RFC 9110 section 4.2.4). */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+,;=%-]+)(:[0-9]{1,5})?$/i;

/**
 * The authority and origin-form path of a request target (RFC 9112 section 3.2). An absolute form's own authority
 * wins over the Host header (AP-109).
 *
 * @param hosts all values of the Host header
 */
export function parseRequestTarget(target: string, hosts: readonly string[]): RequestTarget {
  const [host, ...others] = hosts;
  if (others.length > 0) return { problem: "several Host headers" };
  if (host !== undefined && host !== "" && !AUTHORITY.test(host))
    return { problem: "the Host header is no authority" };
  if (target.startsWith("/") || target === "*") return { authority: host, path: target };
  const [, authority = "", rest = ""] = ABSOLUTE_FORM.exec(target) ?? [];
  if (!AUTHORITY.test(authority))
    return { problem: "the request target is neither a path nor a URL" };
  return { authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

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
