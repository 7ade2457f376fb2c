/** A sample that the same seed draws again. */

/** @returns `count` of `items` in an order that `seed` decides; all of them if there are fewer */
export function seededSample<Item>(
  items: readonly Item[],
  count: number,
  seed: number,
): readonly Item[] {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    const [a, b] = [order[last], order[other]];
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a];
  }
  return order.slice(0, count);
}
