/** What the `Connection`, `Upgrade` and `Expect` fields say, as small numbers. */
import { HTAB, LOWER_CASE, SPACE } from "../byte-classes.ts";

/** Bits; together they are what all `Connection` fields of a message say. */
export const OPTION = {
  close: 1,
  keepAlive: 2,
  upgrade: 4,
  /** It names a field that is to be left out, beside those that always are. */
  nominates: 8,
} as const;

export const UPGRADE = {
  none: 0,
  /** `websocket`, and nothing else. */
  websocket: 1,
  /** Another protocol, or several: never granted (h2c, RFC 9113 section 3.1). */
  other: 2,
} as const;

const COMMA = 44;
const CLOSE = Buffer.from("close");
const KEEP_ALIVE = Buffer.from("keep-alive");
const UPGRADE_OPTION = Buffer.from("upgrade");
const TE = Buffer.from("te");
const WEBSOCKET = Buffer.from("websocket");

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Bits of `OPTION` (RFC 9110 section 7.6.1). */
export function connectionOptions(bytes: Uint8Array, start: number, end: number): number {
  let options = 0;
  for (let at = start; at < end; ) {
    const item = itemAt(bytes, at, end);
    options |= optionOf(bytes, item);
    at = item.next;
  }
  return options;
}

/** One member of `UPGRADE`. */
export function upgradeProtocol(bytes: Uint8Array, start: number, end: number): number {
  return isWord(bytes, { start, end }, WEBSOCKET) ? UPGRADE.websocket : UPGRADE.other;
}

/** The item of a comma-separated list at `at`, without the space around it, and where the next begins. */
export function itemAt(
  bytes: Uint8Array,
  at: number,
  end: number,
): Range & { readonly next: number } {
  let comma = at;
  while (comma < end && bytes[comma] !== COMMA) comma++;
  let start = at;
  let last = comma;
  while (start < last && isSpace(bytes[start])) start++;
  while (last > start && isSpace(bytes[last - 1])) last--;
  return { start, end: last, next: comma + 1 };
}

/** @param word in lower case */
export function isWord(bytes: Uint8Array, { start, end }: Range, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (LOWER_CASE[bytes[start + index] ?? 0] !== word[index]) return false;
  }
  return true;
}

function optionOf(bytes: Uint8Array, item: Range): number {
  if (isWord(bytes, item, CLOSE)) return OPTION.close;
  if (isWord(bytes, item, KEEP_ALIVE)) return OPTION.keepAlive;
  if (isWord(bytes, item, UPGRADE_OPTION)) return OPTION.upgrade;
  return item.end === item.start || isWord(bytes, item, TE) ? 0 : OPTION.nominates;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === HTAB;
}
