/**
 * Which addresses a mesh may be connected to from the host. What only the host itself may reach, as its loopback, stays
 * out of reach of what runs in the mesh, however the address is written.
 */
import {
  type Cidr,
  cidrContains,
  type IpAddress,
  parseCidr,
  parseIpAddress,
} from "../../api/cidr.ts";
import { embeddedAddress, METADATA_RANGES } from "../../api/metadata-addresses.ts";
import { POD_RANGES, SERVICE_RANGES } from "./mesh-ranges.ts";

/** An address that is still the mesh's own when it arrives here belongs to nobody. */
const MESH_RANGES = [POD_RANGES, SERVICE_RANGES].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);

/** Sources: RFC 6890, and the IANA special-purpose address registries. */
const REFUSED_RANGES: readonly (readonly [code: string, ranges: readonly string[]])[] = [
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["unspecified", ["0.0.0.0/8", "::/128"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["reserved", ["240.0.0.0/4"]],
  // What clouds tell a machine about itself, its credentials too.
  ["metadata", METADATA_RANGES],
  ["mesh-address", MESH_RANGES],
];

const REFUSED = REFUSED_RANGES.map(
  ([code, ranges]) => ({ code: `refused-${code}`, ranges: ranges.map(range) }) as const,
);

/**
 * @param allowed ranges that may be reached although they would be refused
 * @returns a code such as `refused-loopback`; undefined when the host may connect
 */
export function refusalOf(
  text: string,
  { allowed = [] }: { readonly allowed?: readonly Cidr[] } = {},
): string | undefined {
  const written = parseIpAddress(text);
  if (written === undefined) return "malformed-address";
  const meant = codeOf(written) === undefined ? (embeddedAddress(written) ?? written) : written;
  return allowed.some((one) => cidrContains(one, meant)) ? undefined : codeOf(meant);
}

function codeOf(address: IpAddress): string | undefined {
  return REFUSED.find(({ ranges }) => ranges.some((one) => cidrContains(one, address)))?.code;
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${text} is not a range`);
  return cidr;
}
