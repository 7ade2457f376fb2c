/** A conjunction of conditions: the form in which rules are indexed. Their OR is taken by having several of them. */
import type { CompiledCondition } from "../authorization-rule.ts";
import type { Traffic } from "../traffic-attribute.ts";

/** All that is left to be asked of one alternative of a rule. */
export interface Candidate {
  /** The rule's place in the order of evaluation (AP-35): of several that match, the lowest counts. */
  readonly order: number;
  readonly conditions: readonly Asked[];
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
      second.map((other) => ({ order, conditions: [...one, ...other, ...when] })),
    );
  }
  const some = someAlternative(second);
  return first.map((one) => ({ order, conditions: [...one, some, ...when] }));
}

export function holds({ conditions }: Candidate, traffic: Traffic): boolean {
  for (const condition of conditions) if (!condition.matches(traffic)) return false;
  return true;
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
