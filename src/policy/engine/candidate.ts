/** A conjunction of conditions: the form in which rules are indexed. Their OR is taken by having several of them. */
import type { CompiledCondition } from "../authorization-rule.ts";
import type { TextPattern } from "../text-lookup.ts";
import type { PeerDemand } from "./peer-demand.ts";

/** One condition, or several alternatives of conditions of which one must hold. */
export type Asked = Pick<CompiledCondition, "matches" | "attribute" | "patterns">;

/** One alternative of a rule, and what is left of it to be asked where it stands. */
export interface Candidate {
  /** The rule's place in the order of evaluation (AP-35): of several that match, the lowest counts. */
  readonly order: number;
  /** On what traffic carries. */
  readonly conditions: readonly Asked[];
  /** On the caller's identity; absent: everybody is meant. */
  readonly demand: PeerDemand | undefined;
  /** In how many places it stands under one text of the uppermost table. */
  readonly copies: number;
  /** Whether it stands somewhere by an attribute of which traffic may carry any number of texts. */
  readonly placedBySeveral: boolean;
}

/**
 * What is left where it stands by one of its conditions: that one no more if its place is proof, and else nowhere by it
 * again.
 */
export function placedBy(
  candidate: Candidate,
  { condition, depth }: { readonly condition: Asked; readonly depth: number },
): Readonly<Record<TextPattern["proof"], Candidate>> {
  const { conditions, copies, placedBySeveral } = candidate;
  const { attribute, patterns = [], matches } = condition;
  const placed = {
    ...candidate,
    copies: depth === 0 ? 1 : copies * patterns.length,
    placedBySeveral: placedBySeveral || attribute?.lookup?.several === true,
  };
  return {
    sure: { ...placed, conditions: conditions.filter((one) => one !== condition) },
    unsure: {
      ...placed,
      conditions: conditions.map((one) => (one === condition ? { matches } : one)),
    },
  };
}
