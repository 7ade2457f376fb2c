/** Durations as Istio's users write them: Go's `24h`, `1m30s`, `500ms`. */
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SHAPE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/** @returns milliseconds; undefined when `text` is not a duration */
export function parseGoDuration(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  return [...text.matchAll(PART)].reduce(
    (sum, [, amount = "0", unit = ""]) => sum + Number(amount) * (UNITS_MS[unit] ?? 0),
    0,
  );
}
