/** Breaks a line between words, so that it fits the terminal; what follows is indented as deep as its beginning. */

const CONTINUATION = 2;

/** A word longer than `width` is cut. */
export function foldLine(line: string, width: number): readonly string[] {
  const indent = /^ */.exec(line)?.[0].length ?? 0;
  const deeper = Math.min(indent + CONTINUATION, width - 1);
  const folded: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const gap = rest.lastIndexOf(" ", width);
    const start = folded.length === 0 ? indent : deeper;
    const end = gap > start ? gap : width;
    folded.push(rest.slice(0, end).trimEnd());
    rest = " ".repeat(deeper) + rest.slice(end).trimStart();
  }
  folded.push(rest);
  return folded;
}
