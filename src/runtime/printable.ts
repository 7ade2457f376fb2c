/**
 * Strangers choose names, paths, headers and policy text; none of it may steer the terminal of whoever reads it, nor
 * break a log line: control, formatting and bidirectional characters are written as escapes.
 */

/** Text for people: U+202E becomes `\u{202e}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

const BEYOND_ASCII = /[\u007f-\uffff]/;

/** JSON text that means the same. Line ends stay: JSON has them between its tokens only. */
export function printableJson(json: string): string {
  if (!BEYOND_ASCII.test(json)) return json; // nearly always, and far quicker to find out
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => escapeOf(character, unit)).join(""),
  );
}

const TO_BE_ESCAPED = /[^ !#-[\]-~]/;

/** A text as JSON: what `printableJson(JSON.stringify(text))` says, and at once where nothing is to be escaped. */
export function printableJsonText(text: string): string {
  return TO_BE_ESCAPED.test(text) ? printableJson(JSON.stringify(text)) : `"${text}"`;
}

function escapeOf(character: string, unit: number): string {
  return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
}
