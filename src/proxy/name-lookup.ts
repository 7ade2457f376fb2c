/** Which addresses a host outside the mesh has, as the machine or, where pods have networks of their own, the mesh's name servers say. */
import { lookup } from "node:dns/promises";
import { plainAddress } from "../api/plain-address.ts";
import type { DnsForwarder } from "./dns-forwarder.ts";
import { composeDnsQuery } from "./dns-message.ts";
import { type AddressRecord, readDnsAddresses } from "./dns-message-addresses.ts";
import {
  forbiddenTarget,
  isForbidden,
  isLoopback,
  NameLookupError,
} from "./forbidden-addresses.ts";

export interface FoundAddresses {
  /** At least one; IPv4 where there is any. */
  readonly addresses: readonly string[];
  /** How long they may be used; absent: nobody said. */
  readonly ttlMs?: number;
}

export type NameLookup = (host: string) => Promise<FoundAddresses>;

/** More than a name needs; the rest is left out. */
const MAX_ADDRESSES = 64;

/** By the machine's own resolver: its hosts file and name servers. @throws NameLookupError */
export const lookUpByMachine: NameLookup = async (host) => {
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return {
      addresses: usable(
        host,
        found.map(({ address }) => address),
      ),
    };
  } catch (cause) {
    if (cause instanceof NameLookupError) throw cause;
    throw new NameLookupError(`"${host}" cannot be looked up`, { cause });
  }
};

/** By whoever answers for names that are not of the mesh. */
export function lookUpBy(forwarder: Pick<DnsForwarder, "ask">): NameLookup {
  const ask = async (host: string, type: "A" | "AAAA"): Promise<readonly AddressRecord[]> => {
    const answer = await forwarder.ask(composeDnsQuery(host, type));
    if (answer === undefined) throw new NameLookupError(`no name server answers for "${host}"`);
    return readDnsAddresses(answer, type);
  };
  return async (host) => {
    const ipv4 = await ask(host, "A");
    const records = ipv4.length > 0 ? ipv4 : await ask(host, "AAAA");
    const addresses = usable(
      host,
      records.map(({ address }) => address),
      isForbiddenToPods,
    );
    return { addresses, ttlMs: Math.min(...records.map(({ ttlSeconds }) => ttlSeconds)) * 1_000 };
  };
}

/** A pod's own loopback is nobody's to lead it to. */
function isForbiddenToPods(address: string): boolean {
  return isForbidden(address) || isLoopback(address);
}

/** Sorted, so that the same answer in another order is the same. */
function usable(
  host: string,
  found: readonly string[],
  isRefused: (address: string) => boolean = isForbidden,
): readonly string[] {
  const plain = [...new Set(found.flatMap((address) => plainAddress(address) ?? []))];
  if (plain.length === 0) throw new NameLookupError(`"${host}" has no address`);
  const good = plain.filter((address) => !isRefused(address));
  if (good.length === 0) throw forbiddenTarget(host, plain[0]);
  const ipv4 = good.filter((address) => !address.includes(":"));
  return (ipv4.length > 0 ? ipv4 : good).sort().slice(0, MAX_ADDRESSES);
}
