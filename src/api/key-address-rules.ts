/**
 * From which addresses keys of token issuers may be fetched. Whoever may write a RequestAuthentication could otherwise have the
 * control plane call whatever it can reach (server-side request forgery; JWT-85).
 */
import { type Cidr, cidrContains, type IpAddress, parseCidr, parseIpAddress } from "./cidr.ts";
import { embeddedAddress, METADATA_RANGES } from "./metadata-addresses.ts";

/** What no list makes reachable: link-local, and where clouds tell machines their secrets. */
const NEVER = ranges("169.254.0.0/16", "fe80::/10", ...METADATA_RANGES);
/** What only a list makes reachable: loopback, private and shared networks, documentation, multicast and the rest that is not public. */
const ONLY_LISTED = ranges(
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...[
    "192.88.99.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1",
    "64:ff9b:1::/48",
    "100::/64",
    "2001:db8::/32",
  ],
  ...[
    "::ffff:0:0:0/96",
    "2001::/23",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fec0::/10",
    "ff00::/8",
  ],
);
/** Of the mesh configuration. */
const ALLOWED_RANGES_KEY = "hauberk.jwks.allowedAddresses";

/**
 * @param address as it was connected to, or is about to be
 * @param allowed ranges that the mesh configuration lists
 * @returns undefined: it may be asked; otherwise why not, with what to do
 */
export function keyAddressProblem(address: string, allowed: readonly Cidr[]): string | undefined {
  const written = parseIpAddress(address);
  if (written === undefined) return `${address} is no address`;
  const bytes = embeddedAddress(written) ?? written;
  if (isIn(NEVER, bytes) || isIn(NEVER, written))
    return `${address} is link-local or a cloud's metadata address: keys are never fetched from there`;
  if (!isIn(ONLY_LISTED, bytes) && !isIn(ONLY_LISTED, written)) return undefined;
  if (isIn(allowed, bytes) || isIn(allowed, written)) return undefined;
  return `${address} is not a public address: to fetch keys from there, list it or its range in ${ALLOWED_RANGES_KEY} of the mesh configuration`;
}

function isIn(list: readonly Cidr[], address: IpAddress): boolean {
  return list.some((one) => cidrContains(one, address));
}

function ranges(...texts: readonly string[]): readonly Cidr[] {
  return texts.map(range);
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`${text} is no range`);
  return cidr;
}
