/**
 * The form in which a request's path is authorised, and forwarded (AP-100..AP-106): so that a policy and the
 * application behind it read the same path.
 */
import type { PathNormalization } from "../api/mesh-settings.ts";

/**
 * Brings a path into the mesh's form; its query is not touched, and a fragment is cut off whatever the form (AP-107).
 * What does not begin with "/" (`*`, as in `OPTIONS *`) stays as it is.
 *
 * @param path as received, with its query and fragment if any
 */
export function normalizePath(path: string, mode: PathNormalization): string {
  if (isPlain(path)) return path;
  const sent = withoutFragment(path);
  if (mode === "NONE" || !sent.startsWith("/")) return sent;
  const end = sent.indexOf("?");
  const query = end < 0 ? "" : sent.slice(end);
  return normalizePathname(end < 0 ? sent : sent.slice(0, end), mode) + query;
}

/**
 * Why a request must be answered with 400 instead of being judged, where paths are normalised: its path carries an encoded
 * NUL, which has no normal form, or a dot segment with parameters, which proxies and applications read in different ways.
 * Envoy makes `/..;` of `/%2e%2e;` and leaves it, and the next Envoy climbs by it: two hops would judge two paths.
 *
 * @returns undefined when nothing is wrong
 */
export function pathRefusal(path: string, mode: PathNormalization): string | undefined {
  if (mode === "NONE") return undefined;
  if (path.includes("%00") && ENCODED_NUL.test(path)) return "the path has an encoded NUL";
  if (path.includes(";") && hasDotParameters(path, mode))
    return "a dot segment of the path has parameters";
  return undefined;
}

const SLASH = 47;
const DOT = 46;
const QUESTION_MARK = 63;
/** Of ASCII, those that a path may not hold, and those that begin something. */
const OUTSTANDING: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  '"#%<>\\^`{|}\u007f'.includes(String.fromCharCode(code)),
);

/** Whether no form changes it; most paths are so, and one look tells. */
function isPlain(path: string): boolean {
  let before = 0;
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (code === QUESTION_MARK) return !path.includes("#", index);
    if (OUTSTANDING[code] === true) return false;
    if (before === SLASH && (code === SLASH || code === DOT)) return false;
    before = code;
  }
  return true;
}

function withoutFragment(path: string): string {
  const start = path.indexOf("#");
  return start < 0 ? path : path.slice(0, start);
}

const ENCODED_NUL = /^[^?#]*%00/;
const DOT_PARAMETERS = /\/\.\.?;/;

/** In whatever spelling: whoever was asked before may have read another one. */
function hasDotParameters(path: string, mode: Mode): boolean {
  const [pathname = ""] = path.split(/[?#]/, 1);
  return DOT_PARAMETERS.test(inOneSpelling(pathname, mode));
}

type Mode = Exclude<PathNormalization, "NONE">;

function normalizePathname(pathname: string, mode: Mode): string {
  const normal = removeDotSegments(withoutDotParameters(inOneSpelling(pathname, mode)));
  return mode === "DEFAULT" || mode === "BASE" ? normal : mergeSlashes(normal);
}

/**
 * With dot segments as they are: what needs no encoding is decoded (RFC 3986 section 6.2.2.2), what a path may not hold is
 * encoded, and `\` becomes `/`, as with Envoy's `normalize_path` (AP-102); escaped slashes are decoded first (AP-104).
 */
function inOneSpelling(pathname: string, mode: Mode): string {
  const read = mode === "DECODE_AND_MERGE_SLASHES" ? decodeSlashes(pathname) : pathname;
  return encodeForbidden(decodeUnreserved(read)).replaceAll("\\", "/");
}

/**
 * `/..;x=1/` is read as `/../` by some applications. Envoy 1.40 looks for it before anything is decoded; here it is looked for
 * after, so that a second look finds nothing more. No such path is let in: see `pathRefusal`.
 */
function withoutDotParameters(pathname: string): string {
  if (!pathname.includes("/.")) return pathname;
  return pathname.replace(/\/(\.\.?);[^/]*/g, "/$1");
}

const FORBIDDEN = /["<>^`{|}\u007f]/g;

function encodeForbidden(pathname: string): string {
  return pathname.replace(
    FORBIDDEN,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;

/** A percent sign that begins no escape stays; where what is decoded after it would make it one, it is encoded. */
function decodeUnreserved(pathname: string): string {
  if (!pathname.includes("%")) return pathname;
  let decoded = "";
  let lonePercent = -Infinity;
  for (let index = 0; index < pathname.length; index++) {
    const character = pathname.charAt(index);
    const hex = pathname.slice(index + 1, index + 3);
    if (character !== "%") decoded += character;
    else if (!HEX_PAIR.test(hex)) {
      lonePercent = decoded.length;
      decoded += "%";
    } else {
      index += 2;
      const meant = String.fromCharCode(Number.parseInt(hex, 16));
      decoded += UNRESERVED.test(meant) ? meant : `%${hex}`;
      if (UNRESERVED.test(meant) && lonePercent >= decoded.length - 3)
        decoded = withoutNewEscape(decoded, lonePercent, pathname.charAt(index + 1));
    }
  }
  return decoded;
}

/** @param next what follows, and may be the second digit of the escape */
function withoutNewEscape(decoded: string, percent: number, next: string): string {
  const after = decoded.slice(percent + 1);
  const isEscape = HEX_PAIR.test(after.length === 1 ? after + next : after);
  return isEscape ? `${decoded.slice(0, percent)}%25${after}` : decoded;
}

/** RFC 3986 section 5.2.4, for a path that begins with "/". */
function removeDotSegments(pathname: string): string {
  if (!pathname.includes("/.")) return pathname;
  const kept: string[] = [];
  const segments = pathname.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment !== "." && segment !== "..") {
      kept.push(segment);
      continue;
    }
    if (segment === "..") kept.pop();
    if (index === segments.length - 1) kept.push("");
  }
  return `/${kept.join("/")}`;
}

function decodeSlashes(pathname: string): string {
  return pathname.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
}

/** A path of nothing but slashes keeps two, as with Envoy: it begins with one and ends with one. */
function mergeSlashes(pathname: string): string {
  const merged = pathname.replace(/\/{2,}/g, "/");
  return merged === "/" && pathname !== "/" ? "//" : merged;
}
