/** Lists in messages: enough of them to see what is meant. */

const MOST_NAMED = 5;

/** `a, b, c`, or `a, b, c, d, e and 12 more` */
export function shortList(texts: readonly string[]): string {
  const named = texts.slice(0, MOST_NAMED).join(", ");
  const left = texts.length - MOST_NAMED;
  return left > 0 ? `${named} and ${left} more` : named;
}
