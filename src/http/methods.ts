/** Methods that the data path must tell apart, as small numbers; any other is carried as it is. */

export const METHOD = {
  other: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  CONNECT: 6,
  OPTIONS: 7,
  TRACE: 8,
  PATCH: 9,
} as const;

/** By number; the empty string for `METHOD.other`. */
export const METHOD_NAMES: readonly string[] = Object.entries(METHOD).map(([name, id]) =>
  id === METHOD.other ? "" : name,
);

/** By length; the longest known name has seven letters. */
const OF_LENGTH: readonly (readonly number[])[] = Array.from({ length: 8 }, (_, length) =>
  METHOD_NAMES.flatMap((name, id) => (id > 0 && name.length === length ? [id] : [])),
);
const NONE: readonly number[] = [];

/** The number of the method in `bytes` from `start` to before `end`, by case. */
export function methodIdAt(bytes: Uint8Array, start: number, end: number): number {
  const candidates = OF_LENGTH[end - start] ?? NONE;
  for (let index = 0; index < candidates.length; index++) {
    const id = candidates[index] ?? 0;
    if (isAt(METHOD_NAMES[id] ?? "", bytes, start)) return id;
  }
  return METHOD.other;
}

function isAt(name: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < name.length; index++) {
    if (bytes[start + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}
