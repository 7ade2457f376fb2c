/**
 * Addresses to which no name may lead: whoever answers for a name could otherwise send a workload, or a gateway that serves
 * strangers, to where clouds tell machines their secrets, or to nowhere.
 */
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { type Cidr, cidrContains, parseCidr, parseIpAddress } from "../api/cidr.ts";
import { embeddedAddress, METADATA_RANGES } from "../api/metadata-addresses.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** A host has no address, or none that may be used, or nobody answers for it. */
export class NameLookupError extends HauberkError {
  readonly code = "HAUBERK_NAME_LOOKUP";
}

const FORBIDDEN = [
  ...["169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8"],
  ...["255.255.255.255/32", ...METADATA_RANGES],
].flatMap((range) => parseCidr(range) ?? []);
const LOOPBACK = "::1";
const LOOPBACK_RANGES = ["127.0.0.0/8", "::1/128"].flatMap((range) => parseCidr(range) ?? []);

/** @param address in its plain form. @returns whether it is one of those, also within another */
export function isForbidden(address: string): boolean {
  return isIn(FORBIDDEN, address);
}

/** Whether whoever connects there connects to himself. @param address as above */
export function isLoopback(address: string): boolean {
  return isIn(LOOPBACK_RANGES, address);
}

function isIn(ranges: readonly Cidr[], address: string): boolean {
  const written = parseIpAddress(address);
  if (written === undefined) return true;
  const embedded = address === LOOPBACK ? undefined : embeddedAddress(written);
  return [written, embedded ?? written].some((one) =>
    ranges.some((range) => cidrContains(range, one)),
  );
}

export function forbiddenTarget(host: string, address: string | undefined): NameLookupError {
  return new NameLookupError(`"${host}" leads to ${address}, where no name may lead`);
}

/** For connections to names: as the machine's resolver says, but never there. */
export const lookUpToConnect: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, "");
    const good = found.filter(({ address }) => !isForbidden(address));
    const [first] = good;
    if (first === undefined) return callback(forbiddenTarget(host, found[0]?.address), "");
    if (options.all === true) callback(null, good);
    else callback(null, first.address, first.family);
  });
};
