/** The names of the mesh's addresses, for whoever has an address and wants a name (PTR, RFC 1035 section 3.5). */
import { parseIpAddress } from "../api/cidr.ts";
import type { Destination } from "../policy/workload-view.ts";

/** Of the ranges in `local/network/mesh-ranges.ts`: nobody outside has names for these addresses. */
const MESH_ZONES = [
  "244.10.in-addr.arpa",
  "96.10.in-addr.arpa",
  "0.0.0.0.4.4.2.0.0.1.0.0.0.0.d.f.ip6.arpa",
  "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
];

/**
 * Service addresses give the service; addresses of pods that have a name of their own give that.
 *
 * @returns by the name under which DNS is asked: `1.0.96.10.in-addr.arpa`
 */
export function reverseNamesOf(destinations: readonly Destination[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const add = (address: string, host: string): void => {
    const name = reverseName(address);
    if (name !== undefined && !names.has(name)) names.set(name, host);
  };
  for (const { host, addresses = [], endpoints } of destinations) {
    for (const address of addresses) add(address, host);
    for (const { hostname, podAddresses = [] } of endpoints) {
      if (hostname === undefined) continue;
      for (const address of podAddresses) add(address, `${hostname}.${host}`);
    }
  }
  return names;
}

/** @returns the zone of the mesh that a reverse name is in; undefined when it is none of the mesh's */
export function reverseZoneOf(name: string): string | undefined {
  return MESH_ZONES.find((zone) => name.endsWith(`.${zone}`));
}

/** @returns undefined for what is no address */
export function reverseName(address: string): string | undefined {
  const bytes = parseIpAddress(address);
  if (bytes === undefined) return undefined;
  if (bytes.length === 4) return `${[...bytes].reverse().join(".")}.in-addr.arpa`;
  const digits = Buffer.from(bytes).toString("hex");
  return `${[...digits].reverse().join(".")}.ip6.arpa`;
}
