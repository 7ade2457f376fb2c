/** Tables as Go's `tabwriter` sets them, which istioctl uses: every cell but the last is as wide as its column, and padded. */

/** @param padding blanks after the widest cell of a column */
export function tabColumns(
  rows: readonly (readonly string[])[],
  padding: number,
): readonly string[] {
  const last = (rows[0] ?? []).length - 1;
  const widths = (rows[0] ?? []).map(
    (_, column) => Math.max(...rows.map((row) => [...(row[column] ?? "")].length)) + padding,
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === last ? cell : cell + " ".repeat((widths[column] ?? 0) - [...cell].length),
      )
      .join(""),
  );
}
