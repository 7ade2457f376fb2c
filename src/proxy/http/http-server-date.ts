/** The time as `Date` fields have it (RFC 9110 section 5.6.7), made once a second. */

let text = "";
let second = -1;

/** 29 characters. */
export function dateField(): string {
  const now = Date.now();
  const current = Math.floor(now / 1_000);
  if (current !== second) {
    second = current;
    text = new Date(now).toUTCString();
  }
  return text;
}
