/**
 * JSON objects from strangers. Of two members with one name, parsers keep the first, the last, or neither: what one of them
 * has verified is not what another one reads (RFC 8259 section 4), so that nobody may believe it.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Further down nobody looks, and a parser's stack is finite. */
const MAX_DEPTH = 32;

/** @returns undefined for what is no JSON, no object, nested too deep, or has a name twice in one object */
export function readJsonObject(text: string): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return isUnambiguous(text) ? { ...value } : undefined;
}

/** @param text is JSON */
function isUnambiguous(text: string): boolean {
  /** The names of each object that is open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = endOfText(text, at);
      if (isName(text, end) && !addName(open.at(-1), text.slice(at, end))) return false;
      at = end - 1;
    }
    if (open.length > MAX_DEPTH) return false;
  }
  return true;
}

/** @returns whether it was not there */
function addName(names: Set<string> | undefined, written: string): boolean {
  const name: unknown = JSON.parse(written); // "\u0061" is "a"
  if (names === undefined || typeof name !== "string") return true;
  const { size } = names;
  return names.add(name).size > size;
}

/** @returns the place behind the closing quote */
function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isName(text: string, end: number): boolean {
  let at = end;
  while (/[ \t\r\n]/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}
