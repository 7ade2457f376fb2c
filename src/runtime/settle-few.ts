/** Does many things, a few at a time, where all at once would hold up everything else. */

/**
 * @param works begun in this order, whatever becomes of those before
 * @param atOnce how many may be under way, at least 1
 * @returns what became of each, in the order of `works`
 */
export async function settleFew<T>(
  works: readonly (() => Promise<T>)[],
  atOnce: number,
): Promise<readonly PromiseSettledResult<T>[]> {
  const outcomes: PromiseSettledResult<T>[] = [];
  const left = works.entries();
  const takeTurns = async (): Promise<void> => {
    for (const [index, work] of left) {
      const [outcome] = await Promise.allSettled([beginIn(work)]);
      outcomes[index] = outcome;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, takeTurns));
  return outcomes;
}

/** What is thrown before there is a promise counts as its failure. */
async function beginIn<T>(work: () => Promise<T>): Promise<T> {
  return work();
}
