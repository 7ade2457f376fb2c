/** What a rule says of the caller's identity: asked once for each peer, never for a request. */
import type { CompiledCondition } from "../authorization-rule.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { PeerPlace } from "./peer-groups.ts";

/** One of the alternatives must hold wholly; none of them is empty. */
export interface PeerDemand {
  readonly alternatives: readonly (readonly CompiledCondition[])[];
}

export function isOfPeer({ attribute }: CompiledCondition): boolean {
  return attribute?.origin === "peer";
}

export function meetsDemand({ alternatives }: PeerDemand, peer: Traffic): boolean {
  return alternatives.some((conditions) => conditions.every((one) => one.matches(peer)));
}

/** Whether standing in one of its places is proof enough. */
export function isSettledByPlace({ alternatives }: PeerDemand): boolean {
  return alternatives.every(([only, ...others]) => {
    if (only?.patterns === undefined || others.length > 0) return false;
    return only.patterns.every(({ proof }) => proof === "sure");
  });
}

/** Where a peer must look for it so that none whom it means misses it; undefined: everywhere. */
export function placesOfDemand({ alternatives }: PeerDemand): readonly PeerPlace[] | undefined {
  const places: PeerPlace[] = [];
  for (const conditions of alternatives) {
    const found = conditions.find(({ patterns, attribute }) => patterns && attribute?.lookup);
    const lookup = found?.attribute?.lookup;
    if (found?.patterns === undefined || lookup === undefined) return undefined;
    for (const pattern of found.patterns) places.push({ ...pattern, lookup });
  }
  return places;
}
