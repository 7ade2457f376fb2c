/**
 * The text that a file's bytes are. What is no text must not pass for one: an octet that is replaced makes a policy that matches
 * something else, and nobody is told.
 * Source: YAML 1.2.2, section 5.1, the characters that kubectl's reader takes
 */
import { isUtf8 } from "node:buffer";
import type { Issue } from "../api/resource.ts";

const NO_TEXT = /[^\t\n\r\x20-\x7e\x85\xa0-\ufffd\u{10000}-\u{10ffff}]/u;

/** @returns the text, or what is wrong in the first line that is none */
export function decodeText(file: string, bytes: Uint8Array): string | Issue {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) {
    const before = buffer.subarray(0, endOfUtf8(buffer)).toString();
    return unreadableAt(file, before, "is no UTF-8; expected text in UTF-8");
  }
  const text = buffer.toString();
  const found = NO_TEXT.exec(text);
  if (found === null) return text;
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const problem = `has the control character U+${code}; expected text`;
  return unreadableAt(file, text.slice(0, found.index), problem);
}

/** @returns how many bytes lie before the first line that is no UTF-8 */
function endOfUtf8(bytes: Buffer): number {
  for (let start = 0; ; ) {
    const end = bytes.indexOf("\n", start) + 1;
    if (end === 0 || !isUtf8(bytes.subarray(start, end))) return start;
    start = end;
  }
}

function unreadableAt(file: string, before: string, problem: string): Issue {
  return { source: { file, line: before.split("\n").length }, path: "", problem };
}
