/** The table of verdicts: how wide its columns are on this terminal, and one line, or two on a narrow one, for each row. */

import { printable } from "../../runtime/printable.ts";
import type { Paint, Shade } from "./paint.ts";

export interface VerdictRow {
  readonly number: string;
  readonly caller: string;
  readonly callee: string;
  readonly request: string;
  readonly verdict: string;
  readonly shade: Shade;
  readonly decidedBy: string;
  readonly identities: string;
}

/** Each line's columns, and how wide they are. */
type Layout = readonly (readonly (readonly [column: Column, width: number])[])[];
type Column = Exclude<keyof VerdictRow, "shade"> | "margin";

const GAP = 2;
const NUMBER = 2;
const CALLER = 11;
const CALLEE = 13;
const VERDICT = 13;
const FIXED: number = NUMBER + CALLER + CALLEE + VERDICT + 4 * GAP;
const BEGINNING: Layout[number] = [
  ["number", NUMBER],
  ["caller", CALLER],
  ["callee", CALLEE],
];
/** From here on one line holds everything. */
const WIDE = 195;
const MIN_WIDTH = 60;

const TITLES: VerdictRow = {
  number: "#",
  caller: "caller",
  callee: "callee",
  request: "request",
  verdict: "verdict",
  shade: "faint",
  decidedBy: "deciding policy",
  identities: "proven identities",
};

/** @param columns of the terminal; no line is longer, unless there are fewer than 60 */
export function formatTitles(columns: number, paint: Paint): readonly string[] {
  return formatVerdictRow(TITLES, { columns, paint });
}

export function formatVerdictRow(
  row: VerdictRow,
  { columns, paint }: { readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const shades: Partial<Record<Column, Shade>> = {
    verdict: row.shade,
    decidedBy: "faint",
    identities: "faint",
  };
  return layoutFor(Math.max(columns, MIN_WIDTH)).map((line) =>
    line
      .map(([column, width], index) => {
        const text = cut(column === "margin" ? "" : printable(row[column]), width);
        const cell = index === line.length - 1 ? text : text.padEnd(width + GAP);
        const shade = shades[column];
        return shade === undefined ? cell : paint(cell, shade);
      })
      .join("")
      .trimEnd(),
  );
}

function layoutFor(columns: number): Layout {
  return columns >= WIDE ? wideLayout(columns) : narrowLayout(columns);
}

function wideLayout(columns: number): Layout {
  const rest = columns - FIXED - 2 * GAP;
  const [request, decidedBy, identities] = share(rest, [50, 41, 53]);
  return [
    [
      ...BEGINNING,
      ["request", request],
      ["verdict", VERDICT],
      ["decidedBy", decidedBy],
      ["identities", identities],
    ],
  ];
}

function narrowLayout(columns: number): Layout {
  const [decidedBy, identities] = share(columns - NUMBER - 2 * GAP, [41, 53]);
  return [
    [...BEGINNING, ["request", columns - FIXED], ["verdict", VERDICT]],
    [
      ["margin", NUMBER],
      ["decidedBy", decidedBy],
      ["identities", identities],
    ],
  ];
}

/** Shares a width in proportion, rounded down. */
function share<const Parts extends readonly number[]>(
  width: number,
  parts: Parts,
): { [Index in keyof Parts]: number } {
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => Math.floor((width * part) / total)) as {
    [Index in keyof Parts]: number;
  };
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
