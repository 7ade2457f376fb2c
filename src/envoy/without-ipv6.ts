/**
 * The same resources for an Envoy on a machine without IPv6: it takes such addresses for malformed, wherever they are, and
 * refuses the whole resource. Nobody is reached by them there, and nobody comes from them.
 */
import { isIPv6 } from "node:net";
import type { EnvoyResources } from "./envoy-json.ts";
import { remembered } from "./remembered.ts";

/** Rules of policies stay as they are: what speaks of such addresses there is refused, and told. */
export function withoutIpv6(resources: EnvoyResources): EnvoyResources {
  const { listeners, clusters, endpoints } = resources;
  return {
    ...resources,
    listeners: keptOf(listeners),
    clusters: keptOf(clusters),
    endpoints: keptOf(endpoints),
  };
}

function keptOf<One extends object>(list: readonly One[]): readonly One[] {
  return list.filter((one) => !isOfIpv6(one)).map((one) => stripped(one) as One);
}

/** The same object for as long as what it is made of lives. */
const stripped: (value: object) => object = remembered((value) =>
  Array.isArray(value) ? value.filter((one) => !isOfIpv6(one)).map(strip) : strippedFields(value),
);

function strip(value: unknown): unknown {
  return typeof value === "object" && value !== null ? stripped(value) : value;
}

function strippedFields(value: object): object {
  const fields = Object.entries(withPlaceLeft(value));
  return Object.fromEntries(fields.map(([name, inner]) => [name, strip(inner)]));
}

/** Of several places the first that is left takes the first place. */
function withPlaceLeft(value: object): object {
  const { address, additionalAddresses = [] }: Placed = value;
  if (!isOfIpv6(address)) return value;
  const [first, ...others] = additionalAddresses.filter((one) => !isOfIpv6(one));
  return first === undefined ? value : { ...value, ...first, additionalAddresses: others };
}

interface Placed {
  readonly address?: unknown;
  readonly additionalAddresses?: readonly { readonly address?: unknown }[];
  readonly socketAddress?: { readonly address?: unknown };
  readonly endpoint?: unknown;
  readonly addressPrefix?: unknown;
  readonly filterChainMatch?: { readonly prefixRanges?: readonly unknown[] };
}

/** A place, a range, or whatever stands for nothing but such ones. */
function isOfIpv6(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { address, additionalAddresses = [], endpoint }: Placed = value;
  const { socketAddress, addressPrefix, filterChainMatch }: Placed = value;
  if ([addressPrefix, address, socketAddress?.address].some(isAddress)) return true;
  const ranges = filterChainMatch?.prefixRanges ?? [];
  if (ranges.length > 0 && ranges.every(isOfIpv6)) return true;
  if (isOfIpv6(address)) return additionalAddresses.every(isOfIpv6);
  return isOfIpv6(endpoint);
}

function isAddress(value: unknown): boolean {
  return typeof value === "string" && isIPv6(value);
}
