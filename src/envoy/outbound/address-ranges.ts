/** Addresses as Envoy writes them. */
import type { SocketAddress } from "../../policy/workload.ts";
import type { AddressRange, EnvoyAddress } from "../envoy-json.ts";

/** @param cidr `10.0.0.0/8`, or a single address */
export function prefixRange(cidr: string): AddressRange {
  const [addressPrefix = "", length] = cidr.split("/");
  const whole = addressPrefix.includes(":") ? 128 : 32;
  return { addressPrefix, prefixLen: length === undefined ? whole : Number(length) };
}

export function socketAddress({ address, port }: SocketAddress): EnvoyAddress {
  return { socketAddress: { address, portValue: port } };
}
