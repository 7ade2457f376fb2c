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
  return rememberedByParts((...parts) => parts, make);
}

/**
 * The same for a function that needs parts of what it is given: what else is in it may change.
 *
 * @param partsOf as many for whatever is given
 * @param make must depend on nothing but those parts
 */
export function rememberedByParts<Given extends readonly unknown[], Result extends object>(
  partsOf: (...given: Given) => readonly object[],
  make: (...given: Given) => Result,
): (...given: Given) => Result {
  const memory: Memory = new WeakMap();
  return (...given) => {
    const [last, ...before] = [...partsOf(...given)].reverse();
    if (last === undefined) return make(...given);
    let place = memory;
    for (const part of before) place = branch(place, part);
    const known = place.get(last) as Result | undefined;
    if (known !== undefined) return known;
    const made = make(...given);
    place.set(last, made);
    return made;
  };
}

/** Stands for a part that is not there. */
export const NO_PART: object = Object.freeze({});

function branch(place: Memory, part: object): Memory {
  const known = place.get(part) as Memory | undefined;
  if (known !== undefined) return known;
  const next: Memory = new WeakMap();
  place.set(part, next);
  return next;
}
