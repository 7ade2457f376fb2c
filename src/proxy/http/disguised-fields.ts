/**
 * Applications that read fields as a CGI does take `X_Forwarded_Client_Cert` for `X-Forwarded-Client-Cert`: names that are
 * ours to write, spelt with underscores, do not go on. All other names may have them, as with Istio.
 */
import { FIELD } from "../../http/field-names.ts";
import type { HeldFields } from "./held-fields.ts";

const OWN_NAME = /^x-(?:forwarded|envoy)-/;
const UNDERSCORE = 95;
const HYPHEN = 45;
const SMALL_X = 120;
const LOWER = 32;

/** What is judged stays as it came. */
export function leaveOutDisguised(fields: HeldFields): void {
  const { ids, ranges, bytes, count } = fields;
  for (let index = 0; index < count; index++) {
    if (ids[index] !== FIELD.other) continue;
    const start = ranges[4 * index] ?? 0;
    const second = bytes[start + 1];
    if (second !== UNDERSCORE && second !== HYPHEN) continue;
    if (((bytes[start] ?? 0) | LOWER) !== SMALL_X) continue;
    if (isDisguised(bytes, start, ranges[4 * index + 1] ?? start)) fields.leaveOut(index);
  }
}

/**
 * The same names with `_` for `-`, or `-` for `_`.
 *
 * @param names in lower case
 */
export function leaveOutSpelt(fields: HeldFields, names: readonly string[]): void {
  const { ids, ranges, bytes, count } = fields;
  for (let index = 0; index < count; index++) {
    if (ids[index] !== FIELD.other) continue;
    const name = bytes.toString("latin1", ranges[4 * index], ranges[4 * index + 1]).toLowerCase();
    if (names.some((own) => own !== name && isSpelling(own, name))) fields.leaveOut(index);
  }
}

function isSpelling(one: string, other: string): boolean {
  return one.length === other.length && one.replaceAll("_", "-") === other.replaceAll("_", "-");
}

function isDisguised(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] !== UNDERSCORE) at++;
  if (at === end) return false;
  const spelt = bytes.toString("latin1", start, end).toLowerCase().replaceAll("_", "-");
  return OWN_NAME.test(spelt);
}
