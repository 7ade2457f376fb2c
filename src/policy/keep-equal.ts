/**
 * Keeps what is equal: of two values of plain data the newer one, with each part that has not changed replaced by the very
 * object of the older. Whoever remembers something by identity then finds it again.
 */

/** @returns `before` itself where both are equal; never changes either */
export function keepEqual<T>(before: unknown, next: T): T {
  if (before === next || !isStructured(before) || !isStructured(next)) return next;
  if (Array.isArray(before) !== Array.isArray(next)) return next;
  return Array.isArray(next)
    ? (keepItems(before as readonly unknown[], next, keepEqual) as T)
    : keepFields(before as Fields, next as Fields & T);
}

/** How items of a list are known, and kept. */
export interface ItemKeeping<T> {
  readonly keyOf: (item: T) => string;
  readonly keep: (before: T, next: T) => T;
}

/**
 * The same for a list whose items are known by a key: one that is taken out of the middle makes no others new.
 *
 * @returns `before` itself where all are equal, and in the same order
 */
export function keepEqualByKey<T extends object>(
  before: readonly T[],
  next: readonly T[],
  { keyOf, keep }: ItemKeeping<T>,
): readonly T[] {
  if (before === next) return next;
  const keepOne = (old: T | undefined, item: T): T => (old === undefined ? item : keep(old, item));
  const isAligned = before.length === next.length;
  if (isAligned && next.every((item, index) => isSameKey(before[index], item, keyOf)))
    return keepItems(before, next, keepOne);
  const known = new Map(before.map((item) => [keyOf(item), item]));
  return next.map((item) => keepOne(known.get(keyOf(item)), item));
}

function isSameKey<T>(before: T | undefined, next: T, keyOf: (item: T) => string): boolean {
  return before === next || (before !== undefined && keyOf(before) === keyOf(next));
}

function keepItems<Old, T extends Old>(
  before: readonly Old[],
  next: readonly T[],
  keep: (before: Old | undefined, next: T) => T,
): readonly T[] {
  let isKept = before.length === next.length;
  let kept: T[] | undefined;
  for (const [index, item] of next.entries()) {
    const own = keep(before[index], item);
    if (own !== before[index]) isKept = false;
    if (own !== item) {
      kept ??= [...next];
      kept[index] = own;
    }
  }
  return isKept ? (before as readonly Old[] as readonly T[]) : (kept ?? next);
}

type Fields = Readonly<Record<string, unknown>>;

function keepFields<T extends Fields>(before: Fields, next: T): T {
  const keys = Object.keys(next);
  let isKept = Object.keys(before).length === keys.length;
  let kept: Record<string, unknown> | undefined;
  for (const key of keys) {
    const own = keepEqual(before[key], next[key]);
    if (own !== before[key] || !Object.hasOwn(before, key)) isKept = false;
    if (own !== next[key]) {
      kept ??= { ...next };
      kept[key] = own;
    }
  }
  return (isKept ? before : (kept ?? next)) as T;
}

/** Anything but plain data is compared by identity. */
function isStructured(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype;
}
