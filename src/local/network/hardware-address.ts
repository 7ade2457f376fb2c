/**
 * Which hardware address goes with an IPv4 address: always the same one, so that a pod that takes another's place is
 * reached at once by those that have the address in their neighbour tables.
 */

/** Locally administered, unicast; the prefix that the bridge plugin of CNI takes for the same end. */
const PREFIX = [0x0a, 0x58];

export function hardwareAddress(ipv4: string): string {
  return [...PREFIX, ...ipv4.split(".").map(Number)]
    .map((octet) => octet.toString(16).padStart(2, "0"))
    .join(":");
}
