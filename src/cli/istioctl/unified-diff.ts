/** Two texts as `diff -u` compares them. */

/** Lines around a change that are shown. Source: istioctl's comparator. */
const CONTEXT = 7;
/** Of the part that is not the same: beyond, all of it is shown as another. */
const MAX_CELLS = 4_000_000;

type Row = readonly [sign: " " | "-" | "+", line: string];

/** @returns lines; none where both are the same */
export function unifiedDiff(
  before: readonly string[],
  after: readonly string[],
  names: { readonly before: string; readonly after: string },
): readonly string[] {
  const rows = comparedRows(before, after);
  if (rows.every(([sign]) => sign === " ")) return [];
  return [`--- ${names.before}`, `+++ ${names.after}`, ...hunksOf(rows)];
}

function comparedRows(before: readonly string[], after: readonly string[]): readonly Row[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let tail = 0;
  while (
    tail < Math.min(before.length, after.length) - start &&
    before.at(-1 - tail) === after.at(-1 - tail)
  )
    tail++;
  const same = (lines: readonly string[]): readonly Row[] => lines.map((line) => [" ", line]);
  return [
    ...same(before.slice(0, start)),
    ...changedRows(
      before.slice(start, before.length - tail),
      after.slice(start, after.length - tail),
    ),
    ...same(before.slice(before.length - tail)),
  ];
}

/** By the longest common part of both. */
function changedRows(before: readonly string[], after: readonly string[]): readonly Row[] {
  const replaced: readonly Row[] = [
    ...before.map((line): Row => ["-", line]),
    ...after.map((line): Row => ["+", line]),
  ];
  const width = after.length + 1;
  if ((before.length + 1) * width > MAX_CELLS) return replaced;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--)
    for (let column = after.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const rows: Row[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [own, other] = [before[row], after[column]];
    if (own !== undefined && own === other) {
      rows.push([" ", own]);
      row++;
      column++;
    } else if (
      own !== undefined &&
      (other === undefined || at(row + 1, column) >= at(row, column + 1))
    ) {
      rows.push(["-", own]);
      row++;
    } else if (other !== undefined) {
      rows.push(["+", other]);
      column++;
    }
  }
  return rows;
}

function hunksOf(rows: readonly Row[]): readonly string[] {
  const changed = rows.flatMap(([sign], index) => (sign === " " ? [] : index));
  const hunks: { from: number; to: number }[] = [];
  for (const index of changed) {
    const last = hunks.at(-1);
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(rows.length, index + 1 + CONTEXT);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks.flatMap(({ from, to }) => {
    const shown = rows.slice(from, to);
    return [heading(rows.slice(0, from), shown), ...shown.map(([sign, line]) => `${sign}${line}`)];
  });
}

/** `@@ -3,7 +3,8 @@` */
function heading(earlier: readonly Row[], shown: readonly Row[]): string {
  const range = (other: "+" | "-"): string => {
    const count = (some: readonly Row[]): number => some.filter(([sign]) => sign !== other).length;
    const lines = count(shown);
    return `${count(earlier) + (lines === 0 ? 0 : 1)},${lines}`;
  };
  return `@@ -${range("+")} +${range("-")} @@`;
}
