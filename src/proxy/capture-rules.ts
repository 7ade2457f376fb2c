/**
 * Which redirected connections a sidecar serves. One that was going to the sidecar itself, or to nobody but this pod,
 * would come back to it for ever, or open what only the pod's own loopback may reach: it ends here (PA-40).
 */
import { isIPv4 } from "node:net";
import { plainAddress } from "../api/plain-address.ts";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import type { IpAddresses, SocketAddress } from "../policy/workload.ts";

/** What a sidecar must know of how its pod's connections come to it. */
export interface Capture extends CaptureSettings {
  /** Of its own, on loopback. */
  readonly adminPort: number;
}

/** Ports that belong to a sidecar wherever there is one; 15008 would be a tunnel that we do not serve (PA-19). */
const RESERVED_PORTS: readonly number[] = [
  15_000, 15_001, 15_004, 15_006, 15_008, 15_020, 15_021, 15_053, 15_090,
];

/** @returns why a connection that others opened to `original` is not served; undefined when it is */
export function inboundProblem(original: SocketAddress, capture: Capture): string | undefined {
  if (!isOwn(original.address, capture.podAddresses)) return "it was not opened to this pod";
  return isSidecarPort(original.port, capture) ? "the port is the sidecar's own" : undefined;
}

/** @returns why a connection that the application opened to `original` is not served; undefined when it is */
export function outboundProblem(original: SocketAddress, capture: Capture): string | undefined {
  const address = plainAddress(original.address);
  if (address === undefined || leadsToLoopback(address))
    return "it leads to the pod's own loopback";
  const own = isOwn(address, capture.podAddresses);
  return own && isSidecarPort(original.port, capture) ? "the port is the sidecar's own" : undefined;
}

export function isSidecarPort(
  port: number,
  { outboundPort, inboundPort, dnsPort, adminPort }: Capture,
): boolean {
  return [...RESERVED_PORTS, outboundPort, inboundPort, dnsPort, adminPort].includes(port);
}

function isOwn(address: string, { ipv4, ipv6 }: IpAddresses): boolean {
  const plain = plainAddress(address);
  return plain !== undefined && (plain === plainAddress(ipv4) || plain === plainAddress(ipv6));
}

/** Linux connects to itself when it is told to connect to nowhere: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5. */
function leadsToLoopback(plain: string): boolean {
  if (isIPv4(plain)) return plain.startsWith("127.") || plain.startsWith("0.");
  return plain === "::1" || plain === "::" || isIpv4Compatible(plain);
}

/** `::6` and `::127.0.0.1`: the kernel gives the former to our own connections. */
function isIpv4Compatible(plain: string): boolean {
  return /^::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})?|\d+\.\d+\.\d+\.\d+)$/.test(plain);
}
