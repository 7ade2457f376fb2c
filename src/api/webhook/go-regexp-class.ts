/** Escapes and character classes of Go's regular expressions. */
import { quoted } from "../quoted.ts";
import { type RegexpCursor, RegexpFault } from "./go-regexp-cursor.ts";

const POSIX_CLASSES = [
  ...["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph"],
  ...["lower", "print", "punct", "space", "upper", "word", "xdigit"],
];
const CLASS_ESCAPE = /^\\[dDsSwW]/;
const POSITION_ESCAPE = /^\\[AbBz]/;
const UNICODE_CLASS = /^\\[pP](?:\{\^?([^}]*)\}|(.))/su;
/** What stands for one character. A single digit but 0 would refer back to a group, which RE2 cannot. */
const CHARACTER_ESCAPE =
  /^\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2}|x[0-9A-Fa-f]{2}|x\{([0-9A-Fa-f]+)\}|[afnrtv]|[^\P{ASCII}0-9A-Za-z])/u;

/** Outside a class: `\d`, `\pL`, `\b`, `\Q…\E` or one character. */
export function readEscape(cursor: RegexpCursor): void {
  if (cursor.take("\\Q")) {
    const end = cursor.rest.indexOf("\\E");
    cursor.skip(end < 0 ? cursor.rest.length : end + 2);
  } else if (POSITION_ESCAPE.test(cursor.rest)) cursor.skip(2);
  else if (!takeClassEscape(cursor)) readCharacter(cursor);
}

/** `[…]`, from its bracket on. */
export function readClass(cursor: RegexpCursor): void {
  cursor.skip(1);
  cursor.take("^");
  let first = true;
  while (first || cursor.peek !== "]") {
    first = false;
    if (cursor.atEnd) throw new RegexpFault('"[" without "]"');
    if (!takePosixClass(cursor) && !takeClassEscape(cursor)) readRange(cursor);
  }
  cursor.skip(1);
}

function takePosixClass(cursor: RegexpCursor): boolean {
  const [whole, name = ""] = /^\[:(.*?):\]/s.exec(cursor.rest) ?? [];
  if (whole === undefined) return false;
  if (!POSIX_CLASSES.includes(name.replace(/^\^/, ""))) {
    throw new RegexpFault(`${quoted(whole)} is not a class`);
  }
  cursor.skip(whole.length);
  return true;
}

function takeClassEscape(cursor: RegexpCursor): boolean {
  if (CLASS_ESCAPE.test(cursor.rest)) {
    cursor.skip(2);
    return true;
  }
  if (!/^\\p/i.test(cursor.rest)) return false;
  const [whole, long, short] = UNICODE_CLASS.exec(cursor.rest) ?? [];
  if (whole === undefined || !isUnicodeClass(long ?? short ?? "")) {
    throw new RegexpFault(`${quoted(cursor.rest.slice(0, 12))} is not a class of Unicode`);
  }
  cursor.skip(whole.length);
  return true;
}

/** A general category or a script; upper and lower case, "_" and spaces are alike since Go 1.25. */
function isUnicodeClass(written: string): boolean {
  if (/^(any|ascii|assigned)$/i.test(written)) return true;
  const name = written
    .split(/[ _-]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join("_");
  if (!/^\w+$/.test(name) || (name.length === 4 && !SCRIPTS_OF_FOUR.includes(name))) return false;
  return isProperty(`gc=${name === "Lc" ? "LC" : name}`) || isProperty(`sc=${name}`);
}

/** JavaScript takes the short names of scripts too, such as `Grek`, which Go does not. */
const SCRIPTS_OF_FOUR = ["Ahom", "Cham", "Kawi", "Lisu", "Modi", "Newa", "Thai", "Toto", "Mark"];

function isProperty(property: string): boolean {
  try {
    new RegExp(`\\p{${property}}`, "u");
    return true;
  } catch {
    return false;
  }
}

function readRange(cursor: RegexpCursor): void {
  const low = readCharacter(cursor);
  if (!/^-[^\]]/su.test(cursor.rest)) return;
  cursor.skip(1);
  if (readCharacter(cursor) < low) throw new RegexpFault("a range ends before it begins");
}

/** @returns its code point */
function readCharacter(cursor: RegexpCursor): number {
  if (cursor.peek !== "\\") return cursor.next().codePointAt(0) ?? 0;
  const [whole, hexadecimal] = CHARACTER_ESCAPE.exec(cursor.rest) ?? [];
  if (whole === undefined || Number.parseInt(hexadecimal ?? "0", 16) > 0x10ffff) {
    throw new RegexpFault(`${quoted(cursor.rest.slice(0, 2))} is not an escape`);
  }
  cursor.skip(whole.length);
  return codePointOf(whole.slice(1));
}

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["t", 9],
  ["n", 10],
  ["v", 11],
  ["f", 12],
  ["r", 13],
]);

function codePointOf(escaped: string): number {
  if (/^[0-7]/.test(escaped)) return Number.parseInt(escaped, 8);
  if (escaped.startsWith("x")) return Number.parseInt(escaped.replace(/^x\{?/, ""), 16);
  return CONTROLS.get(escaped) ?? escaped.codePointAt(0) ?? 0;
}
