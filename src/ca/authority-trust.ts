/** What everybody is told to trust, out of the authorities that are held. */
import { isDeepStrictEqual } from "node:util";
import type { HeldEntry } from "./authority-ledger.ts";
import type { HeldAuthority } from "./held-authority.ts";
import type { AuthorityTrust } from "./rotation.ts";

/** An authority and its place in the ledger. */
export interface RingMember {
  readonly entry: HeldEntry;
  readonly held: HeldAuthority;
}

/**
 * The same authorities give the same text in the same order, whichever of them signs.
 *
 * A tainted authority is not told where another has its key (an intermediate renewed with the key that it had): the
 * certificates of both name one key, and whoever renews would be told to renew again, for ever.
 */
export function trustIn(members: readonly RingMember[]): AuthorityTrust {
  const others = members.filter(({ entry }) => entry.state !== "tainted");
  const kept = new Set(others.map(({ held }) => held.keyIdentifier));
  return {
    rootsPem: distinct(members.flatMap(({ held }) => held.material.rootsPem)),
    taintedAuthorities: members
      .filter(({ entry, held }) => entry.state === "tainted" && !kept.has(held.keyIdentifier))
      .map(({ held }) => held.keyIdentifier),
    crlsPem: distinct(members.flatMap(({ held }) => held.material.crlsPem)),
  };
}

export function isSameTrust(one: AuthorityTrust, other: AuthorityTrust): boolean {
  return isDeepStrictEqual(one, other);
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
