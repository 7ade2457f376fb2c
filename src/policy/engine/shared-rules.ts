/**
 * Rules that their path, host or header tells apart from all but a few others: one index serves all peers, and a peer
 * keeps one bit for each of them. So what a peer holds is small, and what is read for a request is, too.
 */
import type { CompiledCondition } from "../authorization-rule.ts";
import type { Traffic } from "../traffic-attribute.ts";
import type { Candidate } from "./candidate.ts";
import { NO_BITS, newBits, type PeerBits, setBit } from "./peer-bits.ts";
import { PeerGroups, type PeerPlace } from "./peer-groups.ts";
import { buildRuleIndex, type RuleIndex } from "./rule-index.ts";

export interface SharedCandidate {
  readonly candidate: Candidate;
  /** Of its conditions those on the caller's identity; none: everybody. */
  readonly ofPeer: readonly CompiledCondition[];
  /** Where a peer must look for it; undefined: it has to be tried with each. */
  readonly places: readonly PeerPlace[] | undefined;
  /** Whether standing there is proof enough. */
  readonly settled: boolean;
}

interface OpenPlace {
  readonly bit: number;
  readonly ofPeer: readonly CompiledCondition[];
}

export class SharedRules {
  readonly candidates: readonly Candidate[];
  /** Absent where there are none. */
  readonly index: RuleIndex | undefined;
  readonly #everybody: PeerBits;
  readonly #settled = new PeerGroups<number>();
  readonly #open = new PeerGroups<OpenPlace>();

  constructor(shared: readonly SharedCandidate[]) {
    this.#everybody = newBits(shared.length);
    this.candidates = shared.map(({ candidate, ofPeer, places, settled }, bit) => {
      if (ofPeer.length === 0) setBit(this.#everybody, bit);
      else if (settled) this.#settled.add(places, bit);
      else this.#open.add(places, { bit, ofPeer });
      return candidate.behind(bit);
    });
    this.index = shared.length > 0 ? buildRuleIndex(this.candidates) : undefined;
  }

  /** @returns NO_BITS when the peer can match none */
  bitsOf(peer: Traffic): PeerBits {
    if (this.index === undefined) return NO_BITS;
    const bits = this.#everybody.slice();
    for (const bit of this.#settled.of(peer).flat()) setBit(bits, bit);
    for (const { bit, ofPeer } of this.#open.of(peer).flat()) {
      if (ofPeer.every((condition) => condition.matches(peer))) setBit(bits, bit);
    }
    return bits.some((word) => word !== 0) ? bits : NO_BITS;
  }
}
