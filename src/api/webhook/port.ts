/** Port numbers, names and protocols as Istio's webhook judges them. */
import { quoted } from "../quoted.ts";
import { isDnsLabel } from "./host-name.ts";

export function portNumberProblem(port: number): string | undefined {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
    ? undefined
    : `is ${port}; expected a number from 1 to 65535`;
}

export function portNameProblem(name: string): string | undefined {
  return isDnsLabel(name) ? undefined : `${quoted(name)} is not the name of a port: a DNS label`;
}

/** How Istio takes the traffic of a port. "tls" is HTTPS too. */
export type ProtocolFamily = "http" | "tls" | "tcp" | "udp";

const FAMILIES: ReadonlyMap<string, ProtocolFamily> = new Map([
  ["http", "http"],
  ["http2", "http"],
  ["http_proxy", "http"],
  ["grpc", "http"],
  ["grpc-web", "http"],
  ["https", "tls"],
  ["tls", "tls"],
  ["tcp", "tcp"],
  ["mongo", "tcp"],
  ["mysql", "tcp"],
  ["redis", "tcp"],
  ["udp", "udp"],
]);

/** @returns undefined for a protocol that Istio does not know; letter case does not matter */
export function protocolFamily(protocol: string): ProtocolFamily | undefined {
  return FAMILIES.get(protocol.toLowerCase());
}

/** An absent protocol is the caller's matter: some fields leave it to be sniffed. */
export function protocolProblem(protocol: string): string | undefined {
  if (protocolFamily(protocol) !== undefined) return undefined;
  const known = [...FAMILIES.keys()].map((name) => name.toUpperCase()).join(", ");
  return `${quoted(protocol)} is not a protocol; expected one of ${known}`;
}
