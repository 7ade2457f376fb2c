/** How rules name addresses and ports, and how rules are found by the address of traffic (AP-50, AP-50a). */
import { type Cidr, cidrContains, type IpAddress, parseCidr, parseIpAddress } from "../api/cidr.ts";
import { contiguous, type TextPattern } from "./text-lookup.ts";

/** @returns undefined when one of the ranges cannot be read (AP-36) */
export function compileRanges(
  values: readonly string[],
): ((address: IpAddress) => boolean) | undefined {
  const ranges: Cidr[] = [];
  for (const value of values) {
    const range = parseCidr(value);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  return (address) => {
    for (const range of ranges) if (cidrContains(range, address)) return true;
    return false;
  };
}

/** An address range is a prefix of the bits of its addresses. */
export function rangePatterns(values: readonly string[]): readonly TextPattern[] | undefined {
  const ranges = values.map(parseCidr).filter((range) => range !== undefined);
  if (ranges.length < values.length) return undefined;
  return ranges.map((range) => ({ kind: "prefix", text: rangeBits(range), proof: "sure" }));
}

/** Reads addresses as bits. Connections ask for the same address again and again: the last one is kept. */
export function addressBitsReader(): (address: string) => string | undefined {
  let last = { address: "", bits: undefined as string | undefined };
  return (address) => {
    if (address !== last.address) {
      const bytes = parseIpAddress(address);
      last = { address, bits: bytes && addressBits(bytes) };
    }
    return last.bits;
  };
}

function rangeBits({ network, prefixLength }: Cidr): string {
  return contiguous(addressBits(network).slice(0, 1 + prefixLength));
}

/** The family's digit keeps IPv4 and IPv6 apart. */
function addressBits(bytes: IpAddress): string {
  const family = bytes.length === 4 ? "4" : "6";
  return family + Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}

const PORT = /^[0-9]+$/;
const MAX_PORT = 65_535;

/** @returns undefined when one of the ports cannot be read (AP-36); leading zeros are, as in Go */
export function compilePorts(values: readonly string[]): ((port: number) => boolean) | undefined {
  if (!values.every((value) => PORT.test(value) && Number(value) <= MAX_PORT)) return undefined;
  const ports = new Set(values.map(Number));
  return (port) => ports.has(port);
}
