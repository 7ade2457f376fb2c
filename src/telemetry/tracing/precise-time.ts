/** The time of day finer than a millisecond, in which most requests begin and end. */

/** Clocks are set; beyond this the finer one is set too. */
const TOLERANCE_MS = 2;
let offset = Date.now() - performance.now();

/** @returns milliseconds since 1970, with fractions */
export function preciseTime(): number {
  const now = performance.now();
  const coarse = Date.now();
  if (Math.abs(coarse - (now + offset)) > TOLERANCE_MS) offset = coarse - now;
  return now + offset;
}
