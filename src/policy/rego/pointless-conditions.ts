/**
 * Which conditions of a policy never decide anything: from the conjunctions under which it holds, as Open Policy Agent
 * itself tells them (`opa eval --partial`). Whoever meets all conditions of one that holds others' too is allowed by the
 * lesser one already. Compared as written: what is told is so, and more may be so.
 */

/** Conditions that must all be met, each as text that is the same for the same condition. */
export type Conjunction = readonly string[];

export interface PointlessConjunction {
  /** Which of those given is of no use, from 0. */
  readonly at: number;
  /** The one that allows all that it would allow. */
  readonly coveredBy: number;
}

/** At most one word on each, of the shortest that covers it; of two that are the same the first stays. */
export function pointlessConjunctions(
  conjunctions: readonly Conjunction[],
): readonly PointlessConjunction[] {
  const sets = conjunctions.map((conditions) => new Set(conditions));
  const bySize = sets
    .map((set, at) => ({ set, at }))
    .sort((one, other) => one.set.size - other.set.size || one.at - other.at);
  return sets.flatMap((set, at) => {
    const covering = bySize.find(
      (other) =>
        other.at !== at &&
        (other.set.size < set.size || (other.set.size === set.size && other.at < at)) &&
        [...other.set].every((condition) => set.has(condition)),
    );
    return covering === undefined ? [] : { at, coveredBy: covering.at };
  });
}
