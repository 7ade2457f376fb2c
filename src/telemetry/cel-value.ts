/** What a CEL expression computes with. An error is a value too: `true || error` is true. */

/** Of `&&` and `||` the other side may still decide; anything else becomes an error as well. */
export const FAILED: unique symbol = Symbol("failed");
export type Failed = typeof FAILED;

/** `int` is bigint, `double` is number. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Unsigned
  | Span
  | Instant
  | CelLookup
  | readonly CelValue[];
export type CelResult = CelValue | Failed;

/** A map whose keys are only asked for, never listed, as Envoy's attributes and headers are. */
export class CelLookup {
  /** Undefined: there is no such key. */
  readonly get: (key: string) => CelValue | undefined;
  constructor(get: (key: string) => CelValue | undefined) {
    this.get = get;
  }
}

/** `uint` */
export class Unsigned {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A duration. */
export class Span {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A timestamp. */
export class Instant {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** @returns FAILED for what cannot be compared at all */
export function areEqual(one: CelValue, other: CelValue): boolean | Failed {
  if (one instanceof CelLookup || other instanceof CelLookup) return FAILED;
  if (isNumeric(one) && isNumeric(other)) return order(numberOf(one), numberOf(other)) === 0;
  if (one instanceof Span || one instanceof Instant) {
    return other?.constructor === one.constructor && (other as Span | Instant).ms === one.ms;
  }
  if (isList(one) && isList(other)) return areListsEqual(one, other);
  return one === other;
}

/** @returns less than 0, 0, more than 0; FAILED for values without an order between them */
export function compare(one: CelValue, other: CelValue): number | Failed {
  if (isNumeric(one) && isNumeric(other)) return order(numberOf(one), numberOf(other));
  if (typeof one === "string" && typeof other === "string") return compareTexts(one, other);
  if (typeof one === "boolean" && typeof other === "boolean") return Number(one) - Number(other);
  if (one instanceof Span && other instanceof Span) return order(one.ms, other.ms);
  if (one instanceof Instant && other instanceof Instant) return order(one.ms, other.ms);
  return FAILED;
}

export function isList(value: CelResult): value is readonly CelValue[] {
  return Array.isArray(value);
}

type Numeric = bigint | number | Unsigned;

function isNumeric(value: CelValue): value is Numeric {
  return typeof value === "bigint" || typeof value === "number" || value instanceof Unsigned;
}

/** JavaScript compares bigint and number by their mathematical value. */
function numberOf(value: Numeric): bigint | number {
  return value instanceof Unsigned ? value.value : value;
}

/** NaN has no place in any order. */
function order(one: bigint | number, other: bigint | number): number | Failed {
  if (one < other) return -1;
  if (one > other) return 1;
  return one <= other ? 0 : FAILED;
}

/** By code points, as CEL does; JavaScript compares UTF-16 units. */
function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  for (let at = 0; ; at++) {
    const [left, right] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (Number.isNaN(left)) return -1;
    if (Number.isNaN(right)) return 1;
    if (left !== right) return rank(left) - rank(right);
  }
}

/** Surrogates stand for what comes after every other unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function areListsEqual(one: readonly CelValue[], other: readonly CelValue[]): boolean | Failed {
  if (one.length !== other.length) return false;
  let equal: boolean | Failed = true;
  for (const [at, item] of one.entries()) {
    const same = areEqual(item, other[at] ?? null);
    if (same === false) return false;
    if (same === FAILED) equal = FAILED;
  }
  return equal;
}
