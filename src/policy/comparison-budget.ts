/**
 * How much comparing resources with each other may cost: every NetworkPolicy with every ALLOW policy, for every pair of
 * pods, grows with the fourth power of a mesh, and who writes it is not always trusted.
 */

/** About a third of a microsecond each. */
const MOST_COMPARISONS = 3_000_000;
/** What it costs to make a rule, or a value of one, ready to be compared. */
export const COMPILATION = 30;

export class ComparisonBudget {
  #left: number;
  constructor(comparisons: number = MOST_COMPARISONS) {
    this.#left = comparisons;
  }

  /** @returns whether there was enough left; once there was not, never again */
  spend(comparisons: number): boolean {
    this.#left = comparisons > this.#left ? 0 : this.#left - comparisons;
    return this.#left > 0;
  }

  get isSpent(): boolean {
    return this.#left === 0;
  }
}
