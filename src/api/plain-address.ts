/** One form for each address, so that a range in a policy meets it however it was written (AP-50a). */
import { isIPv4, isIPv6, SocketAddress } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * IPv4 for an IPv4 address mapped into IPv6, in whatever notation; everything else as it is commonly written, without
 * a zone.
 *
 * @returns undefined when `text` is no address
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const { address } = new SocketAddress({ address: withoutZone(text), family: "ipv6" });
  return IPV4_IN_IPV6.exec(address)?.[1] ?? address;
}

function withoutZone(text: string): string {
  return text.split("%", 1)[0] ?? text;
}
