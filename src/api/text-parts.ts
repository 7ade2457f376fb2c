/** A text of YAML, taken apart where one document ends and the next begins, without reading either. */

export interface TextPart {
  readonly text: string;
  /** How many lines of the whole stand before it. */
  readonly linesBefore: number;
}

/**
 * `---` ends a document wherever a line begins with it, also within quotes and blocks. What a directive says, and what follows
 * `...`, depends on what stands before. Source: YAML 1.2.2, 9.1.2 and rule 206, c-forbidden
 */
const BOUNDARY = /(?:^|\n)(?:(---)(?=[ \t\r\n]|$)|%|\.\.\.)/g;
const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Each is a text of its own, whose documents are those of the whole where no part has a fault.
 *
 * @returns undefined where what a part says may depend on another
 */
export function textParts(text: string): readonly TextPart[] | undefined {
  if (text.includes(BYTE_ORDER_MARK)) return undefined;
  const begins: number[] = [0];
  for (const { 0: found, 1: mark, index } of text.matchAll(BOUNDARY)) {
    if (mark === undefined) return undefined;
    const begin = index + found.length - mark.length;
    if (begin > 0) begins.push(begin);
  }
  let linesBefore = 0;
  return begins.map((begin, index) => {
    const part = { text: text.slice(begin, begins[index + 1]), linesBefore };
    linesBefore += linesOf(part.text);
    return part;
  });
}

function linesOf(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
