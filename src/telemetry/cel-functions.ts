/** The functions of CEL that filters may call, but for those that do not need all their arguments. */
import type { CelFunction } from "../api/cel-tree.ts";
import { parseGoDuration } from "../api/go-duration.ts";
import {
  areEqual,
  CelLookup,
  type CelResult,
  type CelValue,
  compare,
  FAILED,
  Instant,
  isList,
  Span,
  Unsigned,
} from "./cel-value.ts";

export type StrictFunction = (one: CelValue, other: CelValue) => CelResult;

/** Those that are asked with what stands on their sides only where it is needed. */
export type LazyFunction = "_&&_" | "_||_" | "_?_:_" | "@not_strictly_false";

/** Whose second argument is compiled before there is any call. */
export type CompiledFunction = "matches";

const INT_LIMIT = 2n ** 63n;
const UINT_LIMIT = 2n ** 64n;

export const STRICT_FUNCTIONS: Readonly<
  Record<Exclude<CelFunction, LazyFunction | CompiledFunction>, StrictFunction>
> = {
  "!_": (value) => (typeof value === "boolean" ? !value : FAILED),
  "_==_": areEqual,
  "_!=_": (one, other) => negated(areEqual(one, other)),
  "_<_": ordered((order) => order < 0),
  "_<=_": ordered((order) => order <= 0),
  "_>_": ordered((order) => order > 0),
  "_>=_": ordered((order) => order >= 0),
  "@in": contained,
  "_[_]": item,
  "_+_": sum,
  "_-_": difference,
  "_*_": arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  "_/_": (one, other) =>
    isZero(other)
      ? FAILED
      : arithmetic(
          (a, b) => a / b,
          (a, b) => a / b,
        )(one, other),
  "_%_": (one, other) =>
    isZero(other) || typeof one === "number"
      ? FAILED
      : arithmetic(
          (a, b) => a % b,
          () => Number.NaN,
        )(one, other),
  "-_": negative,
  contains: ofTexts((text, part) => text.includes(part)),
  startsWith: ofTexts((text, start) => text.startsWith(start)),
  endsWith: ofTexts((text, end) => text.endsWith(end)),
  size,
  int: toInt,
  string: toText,
  double: toDouble,
  duration: toSpan,
  timestamp: toInstant,
};

function negated(value: boolean | typeof FAILED): boolean | typeof FAILED {
  return value === FAILED ? FAILED : !value;
}

function ordered(holds: (order: number) => boolean): StrictFunction {
  return (one, other) => {
    const order = compare(one, other);
    return order === FAILED ? FAILED : holds(order);
  };
}

function ofTexts(holds: (text: string, part: string) => boolean): StrictFunction {
  return (text, part) =>
    typeof text === "string" && typeof part === "string" ? holds(text, part) : FAILED;
}

function contained(one: CelValue, within: CelValue): CelResult {
  if (within instanceof CelLookup) {
    return typeof one === "string" ? within.get(one) !== undefined : FAILED;
  }
  if (!isList(within)) return FAILED;
  let found: CelResult = false;
  for (const each of within) {
    const same = areEqual(one, each);
    if (same === true) return true;
    if (same === FAILED) found = FAILED;
  }
  return found;
}

function item(within: CelValue, key: CelValue): CelResult {
  if (within instanceof CelLookup) {
    return typeof key === "string" ? (within.get(key) ?? FAILED) : FAILED;
  }
  const at = key instanceof Unsigned ? key.value : key;
  if (!isList(within) || (typeof at !== "bigint" && typeof at !== "number")) return FAILED;
  return within[Number(at)] ?? (Number(at) in within ? null : FAILED);
}

function sum(one: CelValue, other: CelValue): CelResult {
  if (typeof one === "string" && typeof other === "string") return one + other;
  if (isList(one) && isList(other)) return [...one, ...other];
  if (one instanceof Span && other instanceof Span) return new Span(one.ms + other.ms);
  if (one instanceof Instant && other instanceof Span) return new Instant(one.ms + other.ms);
  if (one instanceof Span && other instanceof Instant) return new Instant(one.ms + other.ms);
  return arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
  )(one, other);
}

function difference(one: CelValue, other: CelValue): CelResult {
  if (one instanceof Span && other instanceof Span) return new Span(one.ms - other.ms);
  if (one instanceof Instant && other instanceof Span) return new Instant(one.ms - other.ms);
  if (one instanceof Instant && other instanceof Instant) return new Span(one.ms - other.ms);
  return arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  )(one, other);
}

/** Types are not mixed, and what leaves the range of its type is an error. */
function arithmetic(
  ofIntegers: (one: bigint, other: bigint) => bigint,
  ofDoubles: (one: number, other: number) => number,
): StrictFunction {
  return (one, other) => {
    if (typeof one === "number" && typeof other === "number") return ofDoubles(one, other);
    if (typeof one === "bigint" && typeof other === "bigint") return int(ofIntegers(one, other));
    if (!(one instanceof Unsigned) || !(other instanceof Unsigned)) return FAILED;
    const value = ofIntegers(one.value, other.value);
    return value < 0n || value >= UINT_LIMIT ? FAILED : new Unsigned(value);
  };
}

function isZero(value: CelValue): boolean {
  return value === 0n || (value instanceof Unsigned && value.value === 0n);
}

function int(value: bigint): CelResult {
  return value >= INT_LIMIT || value < -INT_LIMIT ? FAILED : value;
}

function negative(value: CelValue): CelResult {
  if (typeof value === "bigint") return int(-value);
  return typeof value === "number" ? -value : FAILED;
}

/** Of a text in code points. */
function size(value: CelValue): CelResult {
  if (isList(value)) return BigInt(value.length);
  if (typeof value !== "string") return FAILED;
  let count = 0;
  for (const _ of value) count++;
  return BigInt(count);
}

function toInt(value: CelValue): CelResult {
  if (typeof value === "bigint") return value;
  if (value instanceof Unsigned) return int(value.value);
  if (value instanceof Instant) return BigInt(Math.floor(value.ms / 1000));
  if (typeof value === "string")
    return /^[+-]?[0-9]{1,19}$/.test(value) ? int(BigInt(value)) : FAILED;
  const isInRange = typeof value === "number" && Math.abs(value) < 2 ** 63;
  return isInRange ? BigInt(Math.trunc(value)) : FAILED;
}

function toDouble(value: CelValue): CelResult {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Unsigned) return Number(value.value);
  if (typeof value !== "string" || value.trim() !== value || value === "") return FAILED;
  const number = Number(value);
  return Number.isNaN(number) && value !== "NaN" ? FAILED : number;
}

function toText(value: CelValue): CelResult {
  if (value instanceof Unsigned) return String(value.value);
  const isPlain = ["string", "bigint", "number", "boolean"].includes(typeof value);
  return isPlain ? String(value) : FAILED;
}

function toSpan(value: CelValue): CelResult {
  if (value instanceof Span) return value;
  const ms = typeof value === "string" ? parseGoDuration(value) : undefined;
  return ms === undefined ? FAILED : new Span(ms);
}

/** RFC 3339 */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function toInstant(value: CelValue): CelResult {
  if (value instanceof Instant) return value;
  if (typeof value !== "string" || !TIMESTAMP.test(value)) return FAILED;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? FAILED : new Instant(ms);
}
