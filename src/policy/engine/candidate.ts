/** A conjunction of conditions: the form in which rules are indexed. Their OR is taken by having several of them. */
import type { CompiledCondition } from "../authorization-rule.ts";
import type { TextPattern } from "../text-lookup.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { EVERY_PEER, hasBit, type PeerBits } from "./peer-bits.ts";

/** What candidates are sought for: traffic, and the bits of the peer it comes from. */
export interface Seeking {
  readonly traffic: Traffic;
  readonly bits: PeerBits;
}

/** All that is left to be asked of one alternative of a rule. Shared by all peers, with what is made of it. */
export class Candidate {
  /** The rule's place in the order of evaluation (AP-35): of several that match, the lowest counts. */
  readonly order: number;
  readonly conditions: readonly Asked[];
  /** Which of a peer's bits must be set for it; EVERY_PEER where none has to be. */
  readonly bit: number;
  #placed: Placed | undefined = undefined;

  constructor(order: number, conditions: readonly Asked[], bit: number = EVERY_PEER) {
    this.order = order;
    this.conditions = conditions;
    this.bit = bit;
  }

  /** The same, for those peers alone that have the bit. */
  behind(bit: number): Candidate {
    return new Candidate(this.order, this.conditions, bit);
  }

  holds({ traffic, bits }: Seeking): boolean {
    if (!hasBit(bits, this.bit)) return false;
    for (const condition of this.conditions) if (!condition.matches(traffic)) return false;
    return true;
  }

  /**
   * What is left to be asked where it stands by one of its conditions: that one no more if its place is proof, and
   * else nowhere by it again.
   */
  placedBy(condition: Asked, proof: TextPattern["proof"]): Candidate {
    if (this.#placed?.condition !== condition) this.#placed = { condition };
    this.#placed[proof] ??= this.#without(condition, proof);
    return this.#placed[proof];
  }

  #without(condition: Asked, proof: TextPattern["proof"]): Candidate {
    const conditions = this.conditions.flatMap((one) => {
      if (one !== condition) return [one];
      return proof === "sure" ? [] : [{ matches: condition.matches }];
    });
    return new Candidate(this.order, conditions, this.bit);
  }
}

interface Placed {
  readonly condition: Asked;
  sure?: Candidate;
  unsure?: Candidate;
}

/** One condition, or several alternatives of conditions of which one must hold. */
export type Asked = Pick<CompiledCondition, "matches" | "attribute" | "patterns">;

/** More alternatives than this are not multiplied with others: they are tried one after the other. */
const MAX_PRODUCT = 16;

/** (one of `left`) AND (one of `right`) AND all of `when`, as candidates of one order. */
export function candidatesOf(
  order: number,
  {
    left,
    right,
    when,
  }: {
    readonly left: readonly (readonly Asked[])[];
    readonly right: readonly (readonly Asked[])[];
    readonly when: readonly Asked[];
  },
): readonly Candidate[] {
  const [first, second] = left.length > right.length ? [left, right] : [right, left];
  if (first.length * second.length <= MAX_PRODUCT || second.length === 1) {
    return first.flatMap((one) =>
      second.map((other) => new Candidate(order, [...one, ...other, ...when])),
    );
  }
  const some = someAlternative(second);
  return first.map((one) => new Candidate(order, [...one, some, ...when]));
}

function someAlternative(alternatives: readonly (readonly Asked[])[]): Asked {
  return {
    matches(traffic) {
      for (const conditions of alternatives) {
        if (conditions.every((condition) => condition.matches(traffic))) return true;
      }
      return false;
    },
  };
}
