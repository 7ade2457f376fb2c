/** Durations as istiod reads them from YAML, in Go's notation: `1.5s`, `1h30m`, `250ms`. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { isText, textIn } from "./written-values.ts";

const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3],
  ["μs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);
const SHAPE = /^([-+]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
/** Longer ones mean nothing that a shorter one cannot say. */
const MAX_LENGTH = 256;
const PART = /(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/g;

/** Go counts in 64 bits: 292 years. */
const LIMIT = 2 ** 63;

/** @returns nanoseconds, whole, may be negative; undefined when `text` is no duration */
export function parseDuration(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, sign, amount = ""] = SHAPE.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const parts = [...amount.matchAll(PART)];
  const total = parts.reduce((sum, [, whole = "", fraction = "", unit = ""]) => {
    const size = NANOSECONDS.get(unit) ?? 0;
    return sum + Number(whole) * size + Math.trunc(fractionOf(fraction, size));
  }, 0);
  if (total >= LIMIT) return undefined;
  return sign === "-" ? -total : total;
}

/** Reports a duration that is given as text, and is below 1 ms or not a whole number of them. */
export function checkDuration(fields: Fields, name: string): void {
  if (!isText(fields, name)) return;
  const text = textIn(fields, name);
  const duration = parseDuration(text);
  if (duration === undefined) {
    fields.report(name, `${quoted(text)} is not a duration; expected one such as "1.5s"`);
  } else if (duration < 1e6) {
    fields.report(name, `is ${text}; must be at least 1ms`);
  } else if (duration % 1e6 !== 0) {
    fields.report(name, `is ${text}; must be a whole number of milliseconds`);
  }
}

/** Digits are multiplied as integers: 0.001 s is exactly a million. */
function fractionOf(fraction: string, unit: number): number {
  const digits = fraction.slice(1, 16);
  return digits === "" ? 0 : (Number(digits) * unit) / 10 ** digits.length;
}
