/**
 * Rules indexed for all peers together, and bound to each: what a rule says of identity is asked once a peer, so that
 * for its requests nothing about identity is asked again.
 */
import type { CompiledRule } from "../authorization-rule.ts";
import type { Connection } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { NO_BITS, newBits, nextBit, type PeerBits, setBit } from "./peer-bits.ts";
import { isSettledByPlace, meetsDemand, type PeerDemand, placesOfDemand } from "./peer-demand.ts";
import { PeerGroups } from "./peer-groups.ts";
import { buildRuleIndex, firstMatch, NO_RULE, type RuleIndex, someMatches } from "./rule-index.ts";
import { takeApart } from "./take-apart.ts";

/** A demand, and the places of the index that it guards. */
interface Guarded {
  readonly demand: PeerDemand;
  readonly settled: boolean;
  readonly places: number[];
}

export class PeerRules {
  readonly #rules: readonly CompiledRule[];
  readonly #index: RuleIndex;
  readonly #everybody: PeerBits;
  readonly #guarded: PeerGroups<Guarded>;

  /** @param rules in the order of evaluation */
  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules;
    this.#index = buildRuleIndex(takeApart(rules));
    const { demands } = this.#index;
    this.#everybody = newBits(demands.length);
    const guarded = new Map<PeerDemand, Guarded>();
    for (const [place, demand] of demands.entries()) {
      if (demand === undefined) setBit(this.#everybody, place);
      else entryOf(guarded, demand).places.push(place);
    }
    this.#guarded = new PeerGroups(
      [...guarded.values()].map((item) => ({ item, places: placesOfDemand(item.demand) })),
    );
  }

  get count(): number {
    return this.#rules.length;
  }

  ruleAt(order: number): CompiledRule | undefined {
    return order === NO_RULE ? undefined : this.#rules[order];
  }

  bind(connection: Connection): BoundRules {
    return new BoundRules(this.#index, this.#bitsOf({ connection, remoteAddress: "" }));
  }

  /** Some of the rules that would match if the caller were another one. */
  matchingForSomebody(traffic: Traffic, limit: number): ReadonlySet<number> {
    const bits = newBits(this.#index.orders.length).fill(-1);
    return someMatches(this.#index, { traffic, bits, limit });
  }

  #bitsOf(peer: Traffic): PeerBits {
    const bits = this.#everybody.slice();
    for (const { demand, settled, places } of this.#guarded.of(peer)) {
      if (settled || meetsDemand(demand, peer)) for (const place of places) setBit(bits, place);
    }
    return bits.some((word) => word !== 0) ? bits : NO_BITS;
  }
}

/** What one peer can match. */
export class BoundRules {
  readonly #index: RuleIndex;
  readonly #bits: PeerBits;

  constructor(index: RuleIndex, bits: PeerBits) {
    this.#index = index;
    this.#bits = bits;
  }

  /** Bytes that are held for this peer alone. */
  get bytes(): number {
    return this.#bits.byteLength;
  }

  /** @returns the order of the first rule that matches; NO_RULE when none does */
  firstMatch(traffic: Traffic): number {
    if (this.#bits.length === 0) return NO_RULE;
    return firstMatch(this.#index, { traffic, bits: this.#bits });
  }

  /** The orders of all rules that the peer can match, ascending, each once. */
  orders(): Int32Array {
    const orders = new Set<number>();
    const end = this.#index.orders.length;
    const bits = this.#bits;
    if (bits.length === 0) return new Int32Array(0);
    for (let place = nextBit(bits, 0, end); place >= 0; place = nextBit(bits, place + 1, end)) {
      orders.add(this.#index.orders[place] ?? NO_RULE);
    }
    return Int32Array.from(orders).sort();
  }
}

function entryOf(guarded: Map<PeerDemand, Guarded>, demand: PeerDemand): Guarded {
  const known = guarded.get(demand);
  if (known !== undefined) return known;
  const created = { demand, settled: isSettledByPlace(demand), places: [] };
  guarded.set(demand, created);
  return created;
}
