/** Amounts of resources, `500m`, `64Mi`, `1e3`, as Kubernetes writes them. Source: apimachinery, api/resource/quantity.go. */
import type { JsonValue } from "../kubernetes-object.ts";

const FORM = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$/;

const DECIMAL_SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** Finer than that nothing is told. */
const NANOS = 9;

/** The same amount with the largest suffix that leaves a whole number; what is no amount is left as it is. */
export function canonicalQuantity(value: JsonValue): JsonValue {
  if (typeof value !== "string" && typeof value !== "number") return value;
  const match = FORM.exec(String(value).trim());
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match ?? [];
  if (match === null || whole + fraction === "") return value;
  const nanos = nanosOf(whole, fraction, suffix);
  const minus = sign === "-" && nanos > 0n ? "-" : "";
  return `${minus}${printed(nanos, suffix)}`;
}

/** In billionths, rounded up. */
function nanosOf(whole: string, fraction: string, suffix: string): bigint {
  const digits = BigInt(`${whole}${fraction}`);
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  const factor = binary > 0 ? 1024n ** BigInt(binary) : 1n;
  const power = NANOS + (binary > 0 ? 0 : decimalPower(suffix)) - fraction.length;
  if (power >= 0) return digits * factor * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (digits * factor + divisor - 1n) / divisor;
}

function decimalPower(suffix: string): number {
  if (/^[eE]./.test(suffix)) return Number(suffix.slice(1));
  return (DECIMAL_SUFFIXES.indexOf(suffix) - DECIMAL_SUFFIXES.indexOf("")) * 3;
}

const ONE = 10n ** BigInt(NANOS);

function printed(nanos: bigint, suffix: string): string {
  const isSmall = nanos < 1024n * ONE;
  if (suffix.endsWith("i") && !isSmall) return printedBinary((nanos + ONE - 1n) / ONE);
  let [mantissa, place] = [nanos, 0];
  const last = DECIMAL_SUFFIXES.length - 1;
  const isExponent = /^[eE]./.test(suffix);
  while (mantissa !== 0n && mantissa % 1000n === 0n && (isExponent || place < last)) {
    mantissa /= 1000n;
    place += 1;
  }
  if (mantissa === 0n) return "0";
  if (!isExponent) return `${mantissa}${DECIMAL_SUFFIXES[place]}`;
  const exponent = place * 3 - NANOS;
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
}

function printedBinary(amount: bigint): string {
  let [mantissa, place] = [amount, 0];
  while (mantissa % 1024n === 0n && place < BINARY_SUFFIXES.length - 1) {
    mantissa /= 1024n;
    place += 1;
  }
  return `${mantissa}${BINARY_SUFFIXES[place]}`;
}
