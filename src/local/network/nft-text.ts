/**
 * Pieces of nftables' language, written only from what was parsed first: no text of a user reaches the kernel's rules.
 * Source: https://www.netfilter.org/projects/nftables/manpage.html
 */
import { type Cidr, parseCidr, parseIpAddress } from "../../api/cidr.ts";
import { FabricError } from "./fabric-error.ts";

export type AddressFamily = "ip" | "ip6";

/** The one table that is ours, in every network namespace. */
export const TABLE = "hauberk";

export interface NftChain {
  readonly name: string;
  /** Absent for one that others jump to. */
  readonly hook?: {
    readonly type: "filter" | "nat";
    readonly at: "prerouting" | "input" | "forward" | "output" | "postrouting";
    readonly priority: number;
    readonly policy: "accept" | "drop";
  };
  readonly rules: readonly string[];
}

/** A whole table that takes the place of the one before, in one transaction. */
export function nftTable(chains: readonly NftChain[]): string {
  const lines = chains.flatMap(({ name, hook, rules }) => [
    `  chain ${name} {`,
    ...(hook === undefined
      ? []
      : [
          `    type ${hook.type} hook ${hook.at} priority ${hook.priority}; policy ${hook.policy};`,
        ]),
    ...rules.map((rule) => `    ${rule}`),
    "  }",
  ]);
  const name = `table inet ${TABLE}`;
  return [`${name} {}`, `delete ${name}`, `${name} {`, ...lines, "}", ""].join("\n");
}

/** @throws FabricError when it is no address */
export function familyOf(address: string): AddressFamily {
  return checkedAddress(address).family;
}

/** @throws FabricError when it is no address */
export function checkedAddress(address: string): {
  readonly family: AddressFamily;
  readonly text: string;
} {
  const bytes = parseIpAddress(address);
  if (bytes === undefined) throw new FabricError(`"${address}" is no IP address`);
  return { family: bytes.length === 4 ? "ip" : "ip6", text: formatBytes(bytes) };
}

/** @throws FabricError when it is neither a range nor an address */
export function checkedCidr(text: string): Cidr & { readonly family: AddressFamily } {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new FabricError(`"${text}" is no range of IP addresses`);
  return { ...cidr, family: cidr.network.length === 4 ? "ip" : "ip6" };
}

/**
 * What matches the addresses of a range, less others.
 *
 * @returns undefined when nothing is left of it
 * @throws FabricError
 */
export function matchRange(
  end: "saddr" | "daddr",
  { cidr: text, except = [] }: { readonly cidr: string; readonly except?: readonly string[] },
): string | undefined {
  const cidr = checkedCidr(text);
  const holes = except.map(checkedCidr).filter(({ family }) => family === cidr.family);
  if (holes.some(({ prefixLength }) => prefixLength === 0)) return undefined;
  const { family } = cidr;
  const whole =
    cidr.prefixLength === 0
      ? `meta nfproto ${family === "ip" ? "ipv4" : "ipv6"}`
      : `${family} ${end} ${formatCidr(cidr)}`;
  return [whole, ...holes.map((hole) => `${family} ${end} != ${formatCidr(hole)}`)].join(" ");
}

/** An anonymous set, without doubles; a single element stands alone. */
export function nftSet(elements: readonly (string | number)[]): string {
  const [first, ...others] = new Set(elements);
  if (first === undefined) throw new FabricError("a set of nothing matches nothing");
  return others.length === 0 ? String(first) : `{ ${[first, ...others].join(", ")} }`;
}

function formatCidr({ network, prefixLength }: Cidr): string {
  return `${formatBytes(network)}/${prefixLength}`;
}

function formatBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return shortened(groups);
}

/** RFC 5952 section 4.2: the longest run of zero groups, the first of several. */
function shortened(groups: readonly string[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  const before = groups.slice(0, best.start).join(":");
  const after = groups.slice(best.start + best.length).join(":");
  return `${before}::${after}`;
}
