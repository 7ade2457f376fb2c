/**
 * Remembers what a pure function made of objects, for as long as these live: the same objects in, the same object out.
 * Views share what is equal in them, so what is made of a shared part is made once, however many sidecars have it.
 */

type Memory = WeakMap<object, unknown>;

/**
 * @param make must depend on nothing but its arguments, and change none of them
 * @returns the same function; arguments are compared by identity
 */
export function remembered<Arguments extends readonly object[], Result extends object>(
  make: (...parts: Arguments) => Result,
): (...parts: Arguments) => Result {
  const memory: Memory = new WeakMap();
  return (...parts) => {
    const [last, ...before] = [...parts].reverse();
    if (last === undefined) return make(...parts);
    let place = memory;
    for (const part of before) place = branch(place, part);
    const known = place.get(last) as Result | undefined;
    if (known !== undefined) return known;
    const made = make(...parts);
    place.set(last, made);
    return made;
  };
}

function branch(place: Memory, part: object): Memory {
  const known = place.get(part) as Memory | undefined;
  if (known !== undefined) return known;
  const next: Memory = new WeakMap();
  place.set(part, next);
  return next;
}
