/** One form for each address, so that a range in a policy meets it however it was written. */
import { isIPv4, isIPv6, SocketAddress } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * IPv4 for an IPv4 address mapped into IPv6, in whatever notation; everything else as it is commonly written, without
 * a zone.
 *
 * @returns undefined when `text` is no address
 */
export function plainAddress(text: string): string | undefined {
  const address = statedAddress(text);
  return address === undefined ? undefined : (IPV4_IN_IPV6.exec(address)?.[1] ?? address);
}

/**
 * The same of an address that somebody states, in a header: what is mapped into IPv6 there stays an address of IPv6, as for
 * Envoy (AP-50a).
 *
 * @returns undefined when `text` is no address
 */
export function statedAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  return new SocketAddress({ address: withoutZone(text), family: "ipv6" }).address;
}

function withoutZone(text: string): string {
  return text.split("%", 1)[0] ?? text;
}
