/** Lines and fields to the letter of RFC 9112 sections 2.2 and 5: an end is CR and LF, and nothing else is. */

export type Field = readonly [name: string, value: string];
export type Problem = { readonly problem: string };

/** RFC 9110 section 5.6.2, as part of a regular expression. */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const FIELD_LINE = new RegExp(`^(${TOKEN}):[ \\t]*([\\t\\x20-\\x7e\\x80-\\xff]*?)[ \\t]*$`);

/** Lines up to the first empty one; `end` is behind that. */
export function readLines(
  text: string,
  from: number,
): { readonly lines: readonly string[]; readonly end: number | undefined } | Problem {
  const lines: string[] = [];
  let at = from;
  for (;;) {
    const feed = text.indexOf("\n", at);
    if (feed < 0) return { lines, end: undefined };
    if (feed === at || text[feed - 1] !== "\r") return { problem: "a bare line feed" };
    const line = text.slice(at, feed - 1);
    if (line.includes("\r")) return { problem: "a bare carriage return" };
    at = feed + 1;
    if (line === "") return { lines, end: at };
    lines.push(line);
  }
}

export function parseFields(lines: readonly string[]): readonly Field[] | Problem {
  const fields: Field[] = [];
  for (const line of lines) {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return { problem: "a line that is no field" };
    fields.push([name, value]);
  }
  return fields;
}

/** All values of a field, in order. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}
