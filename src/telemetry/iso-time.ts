/** Instants as ISO 8601 in UTC, for logs: most are of the same second as the one before. */

const DIGITS: readonly string[] = Array.from({ length: 1_000 }, (_, rest) =>
  String(rest).padStart(3, "0"),
);

let second = Number.NaN;
/** Of that second, up to the fraction. */
let beginning = "";

/**
 * What `Date.prototype.toISOString` says.
 *
 * @param milliseconds whole, since 1970
 * @throws RangeError for what is no instant
 */
export function isoTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1_000);
  if (whole !== second) {
    beginning = new Date(whole * 1_000).toISOString().slice(0, -"000Z".length);
    second = whole;
  }
  return `${beginning}${DIGITS[milliseconds - whole * 1_000]}Z`;
}
