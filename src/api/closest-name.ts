/** The known name a misspelt one was probably meant to be. */

/** Of so many unknown names of one map a known one is looked for: each comparison costs the product of two lengths. */
export const MOST_HINTS = 20;
const LONGEST_NAME = 64;
const MOST_KNOWN = 500;

/** @returns undefined when no known name is close enough to be worth suggesting */
export function closestName(written: string, known: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.floor(written.length / 2));
  if (written.length > LONGEST_NAME) return undefined;
  let best: { name: string; distance: number } | undefined;
  for (const name of known.slice(0, MOST_KNOWN)) {
    if (Math.abs(name.length - written.length) > limit) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { name, distance };
    }
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? cost) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
