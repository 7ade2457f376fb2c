/**
 * The parts a decoder of views is made of. Strict: a field that is missing, of another shape or unknown refuses the whole
 * view, because a rule half understood is a rule not enforced.
 */
import { HauberkError } from "../runtime/hauberk-error.ts";

/** A view whose shape is not the one this sidecar knows; the last good one stays. */
export class InvalidWorkloadViewError extends HauberkError {
  readonly code = "HAUBERK_INVALID_WORKLOAD_VIEW";
}

export type Decoder<T> = (value: unknown, path: string) => T;
type Fields = Readonly<Record<string, Decoder<unknown>>>;
type Decoded<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };
type PerhapsDecoded<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> };

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== "string") throw unexpected(path, "a text");
  return value;
};

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw unexpected(path, "true or false");
  return value;
};

/** Of a field that is either there or not. */
export const trueOnly: Decoder<true> = (value, path) => {
  if (value !== true) throw unexpected(path, "true");
  return value;
};

export function integer(min: number, max: number): Decoder<number> {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max)
      return value;
    throw unexpected(path, `an integer from ${min} to ${max}`);
  };
}

export function choice<const C extends readonly string[]>(choices: C): Decoder<C[number]> {
  return (value, path) => {
    const chosen = choices.find((candidate) => candidate === value);
    if (chosen === undefined) throw unexpected(path, `one of ${choices.join(", ")}`);
    return chosen;
  };
}

export function list<T>(element: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw unexpected(path, "a list");
    return value.map((one: unknown, index) => element(one, `${path}[${index}]`));
  };
}

/** Turns whatever a parser throws into a refusal of the view. */
export function parsed<T>(parse: (value: string) => T, expected: string): Decoder<T> {
  return (value, path) => {
    try {
      return parse(text(value, path));
    } catch (cause) {
      throw unexpected(path, expected, { cause });
    }
  };
}

export function mapOfTexts(value: unknown, path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(section(value, path)).map(([key, one]) => [key, text(one, `${path}.${key}`)]),
  );
}

export function object<R extends Fields>(required: R): Decoder<Decoded<R>> {
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: Object.keys(required), path });
    return decodeFields(required, { given, path });
  };
}

export function objectWith<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
): Decoder<Decoded<R> & PerhapsDecoded<O>> {
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: [...Object.keys(required), ...Object.keys(optional)], path });
    return {
      ...decodeFields(required, { given, path }),
      ...decodePresent(optional, { given, path }),
    };
  };
}

function decodeFields<F extends Fields>(fields: F, { given, path }: Place): Decoded<F> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, decode]) => [name, decode(given[name], `${path}.${name}`)]),
  ) as Decoded<F>;
}

function decodePresent<F extends Fields>(fields: F, at: Place): PerhapsDecoded<F> {
  const present = Object.entries(fields).filter(([name]) => at.given[name] !== undefined);
  return decodeFields(Object.fromEntries(present), at) as PerhapsDecoded<F>;
}

/** What this decoder made itself is taken as it is: of a view that is held only what changed is read. */
export function readOnce<T extends object>(decode: Decoder<T>): Decoder<T> {
  const made = new WeakSet<object>();
  return (value, path) => {
    if (typeof value === "object" && value !== null && made.has(value)) return value as T;
    const read = decode(value, path);
    made.add(read);
    return read;
  };
}

/** Lists of texts by field name, each of which may be absent. */
export function textsByField<const N extends readonly string[]>(
  names: N,
): Decoder<{ readonly [name in N[number]]?: readonly string[] }> {
  const texts = list(text);
  return (value, path) => {
    const given = section(value, path);
    refuseUnknown(given, { known: names, path });
    const present = Object.fromEntries(Object.keys(given).map((name) => [name, texts]));
    return decodeFields(present, { given, path }) as { [name in N[number]]?: readonly string[] };
  };
}

type Given = Readonly<Record<string, unknown>>;

interface Place {
  readonly given: Given;
  readonly path: string;
}

export function section(value: unknown, path: string): Given {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw unexpected(path, "an object");
  return { ...value };
}

function refuseUnknown(
  given: Given,
  { known, path }: { readonly known: readonly string[]; readonly path: string },
): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InvalidWorkloadViewError(`${path}.${unknown} is not a known field`);
}

export function unexpected(
  path: string,
  expected: string,
  options?: ErrorOptions,
): InvalidWorkloadViewError {
  return new InvalidWorkloadViewError(`${path} is not ${expected}`, options);
}
