/**
 * Addresses of hosts that have none of their own, so that connections to them can be told apart by where they go: of the
 * ranges that Istio takes them from. An address follows from the host's name; where two would be one, the second moves.
 * Source: https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/#address-auto-allocation
 */
import type { IpAddresses } from "./workload.ts";

/** Of 240.240.0.0/16 and 2001:2::/48, all but the first and the last. */
const FIRST = 1;
const COUNT = 65_534;

/**
 * @param names each once, such as `namespace/host`; who comes first keeps his address whoever comes later, and has one
 *   although there may be too many
 */
export function automaticAddresses(names: readonly string[]): ReadonlyMap<string, IpAddresses> {
  const taken = new Set<number>();
  const addresses = new Map<string, IpAddresses>();
  for (const name of names) {
    if (taken.size === COUNT) break;
    let number = FIRST + (hash(name) % COUNT);
    while (taken.has(number)) number = FIRST + (number % COUNT);
    taken.add(number);
    addresses.set(name, addressesOf(number));
  }
  return addresses;
}

function addressesOf(number: number): IpAddresses {
  return {
    ipv4: `240.240.${number >> 8}.${number & 255}`,
    ipv6: `2001:2::f0f0:${number.toString(16)}`,
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
