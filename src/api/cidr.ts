/** IPv4 and IPv6 addresses and ranges, as in `ipBlocks` (AP-50a). The two families never match each other. */
import { isIPv4, isIPv6 } from "node:net";

/** The address's bytes, most significant first: 4 for IPv4, 16 for IPv6. */
export type IpAddress = Uint8Array;

export interface Cidr {
  /** First address of the range: host bits are zero. */
  readonly network: IpAddress;
  /** Number of leading bits that count: 0 to 32, or 0 to 128. */
  readonly prefixLength: number;
}

const PREFIX_LENGTH = /^(0|[1-9][0-9]{0,2})$/;

/** @returns undefined when `text` is no address; a zone (`fe80::1%eth0`) is not accepted */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (isIPv6(text) && !text.includes("%")) return ipv6Bytes(text);
  return undefined;
}

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, or an address alone, which is a range of one. Host bits are masked.
 *
 * @returns undefined when `text` is neither an address nor a range
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.length * 8;
  if (slash < 0) return { network: address, prefixLength: bits };
  const length = text.slice(slash + 1);
  if (!PREFIX_LENGTH.test(length) || Number(length) > bits) return undefined;
  return { network: masked(address, Number(length)), prefixLength: Number(length) };
}

/** The one way to write a range: host bits are zero, IPv6 in lower case with all of its eight groups. */
export function formatCidr({ network, prefixLength }: Cidr): string {
  if (network.length === 4) return `${network.join(".")}/${prefixLength}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((network[index * 2] ?? 0) << 8) | (network[index * 2 + 1] ?? 0)).toString(16),
  );
  return `${groups.join(":")}/${prefixLength}`;
}

export function cidrContains({ network, prefixLength }: Cidr, address: IpAddress): boolean {
  if (address.length !== network.length) return false;
  const whole = prefixLength >> 3;
  for (let index = 0; index < whole; index++) {
    if (address[index] !== network[index]) return false;
  }
  const rest = prefixLength & 7;
  return rest === 0 || ((address[whole] ?? 0) ^ (network[whole] ?? 0)) >> (8 - rest) === 0;
}

function masked(address: IpAddress, prefixLength: number): IpAddress {
  return address.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte & (0xff << (8 - kept));
  });
}

/** @param text an IPv6 address already known to be well formed (RFC 4291 section 2.2) */
function ipv6Bytes(text: string): IpAddress {
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from(
    [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]),
  );
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
