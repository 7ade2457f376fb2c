/** Where clouds tell machines their secrets, however it is written. */
import { type Cidr, cidrContains, type IpAddress, parseCidr } from "./cidr.ts";

/** Those that are no link-local address: of Amazon, Google, Scaleway, Alibaba, Azure, Oracle. */
export const METADATA_RANGES: readonly string[] = [
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  "fd00:42::42/128",
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
];

/**
 * Prefixes of IPv6 addresses that mean an IPv4 address, and where it stands: mapped (RFC 4291 section 2.5.5.2), translated
 * (RFC 2765), compatible (RFC 4291 section 2.5.5.1), NAT64 (RFC 6052), 6to4 (RFC 3056).
 */
const EMBEDDING = [
  { prefix: range("::ffff:0:0/96"), at: 12 },
  { prefix: range("::ffff:0:0:0/96"), at: 12 },
  { prefix: range("::/96"), at: 12 },
  { prefix: range("64:ff9b::/96"), at: 12 },
  { prefix: range("2002::/16"), at: 2 },
];

/** @returns the IPv4 address within an IPv6 address; undefined where there is none */
export function embeddedAddress(address: IpAddress): IpAddress | undefined {
  const embedding = EMBEDDING.find(({ prefix }) => cidrContains(prefix, address));
  return embedding && address.slice(embedding.at, embedding.at + 4);
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${text} is no range`);
  return cidr;
}
