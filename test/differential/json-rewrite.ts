/** Changes JSON wherever it has a certain look; what nothing changes stays the same object. */

export type Json = { readonly [field: string]: unknown };

/** What takes an object's place; the object itself where it is of no interest, undefined where it shall be gone. */
export type Rewrite = (value: Json, field: string) => unknown;

/** Innermost first. */
export function rewritten(value: unknown, rewrite: Rewrite, field = ""): unknown {
  if (Array.isArray(value)) {
    const items = value
      .map((item) => rewritten(item, rewrite, field))
      .filter((item) => item !== undefined);
    return items.length === value.length && items.every((item, index) => item === value[index])
      ? value
      : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  const inner = entries.map(([name, one]) => [name, rewritten(one, rewrite, name)] as const);
  const isSame = inner.every(([name, one]) => one === value[name]);
  const kept = inner.filter(([, one]) => one !== undefined);
  return rewrite(isSame ? value : Object.fromEntries(kept), field);
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns the object at the end of the path; undefined where there is none */
export function objectAt(value: Json, ...path: readonly string[]): Json | undefined {
  let at: unknown = value;
  for (const name of path) at = isObject(at) ? at[name] : undefined;
  return isObject(at) ? at : undefined;
}
