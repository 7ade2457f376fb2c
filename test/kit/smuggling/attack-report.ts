/** What to say of a run: a table, class by class, and each attack with what became of it, byte by byte. */
import type { AttackExchange } from "./attack-exchange.ts";
import type { Judgement, Outcome } from "./judge-attack.ts";

export interface JudgedAttack {
  readonly exchange: AttackExchange;
  readonly judgement: Judgement;
}

/** By the name of the way they took. */
export type AttackRun = ReadonlyMap<string, readonly JudgedAttack[]>;

const OUTCOMES: readonly Outcome[] = ["alike", "refused", "lenient", "hidden"];
const MOST_BYTES = 2_000;

/** Rows are classes; a column is a proxy, its cells the counts of `OUTCOMES`. */
export function attackTable(run: AttackRun): string {
  const columns = [...run];
  const classes = [...new Set(columns.flatMap(([, judged]) => judged.map(classOf)))];
  const header = ["class", "of", ...columns.map(([name]) => name)];
  const rows = [...classes, undefined].map((one) => [
    one ?? "all",
    String(inClass(columns[0]?.[1] ?? [], one).length),
    ...columns.map(([, judged]) => countsOf(inClass(judged, one))),
  ]);
  const legend = `Each cell: ${OUTCOMES.join(" / ")}. "-" is none.`;
  return `${legend}\n${alignedColumns([header, ...rows])}`;
}

/** Every decision beside the recorded bytes. */
export function attackList(name: string, judged: readonly JudgedAttack[]): string {
  return judged.map((one) => `${name}\n${describe(one)}`).join("\n\n");
}

function classOf({ exchange }: JudgedAttack): string {
  return exchange.attack.class;
}

function inClass(
  judged: readonly JudgedAttack[],
  className: string | undefined,
): readonly JudgedAttack[] {
  return judged.filter((one) => className === undefined || classOf(one) === className);
}

function countsOf(judged: readonly JudgedAttack[]): string {
  return OUTCOMES.map((outcome) => {
    const count = judged.filter(({ judgement }) => judgement.outcome === outcome).length;
    return count === 0 ? "-" : String(count);
  }).join(" / ");
}

function alignedColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function describe({ exchange, judgement }: JudgedAttack): string {
  const { attack, sent, received, bytes, decisions } = exchange;
  const streams = new Map<number, string>();
  for (const { connection, bytes: some } of bytes) {
    streams.set(connection, (streams.get(connection) ?? "") + some);
  }
  return [
    `  ${attack.class}: ${attack.name} (${attack.source})`,
    `  ${judgement.outcome}${judgement.faults.map((fault) => `; ${fault}`).join("")}`,
    `  sent ${shown(sent)}`,
    ...(decisions ?? []).map(
      ({ method, path, response_code, decision }) =>
        `  decided ${decision?.verdict ?? "-"} ${response_code ?? "-"} ${shown(`${method} ${path}`)} ${decision?.reason.because ?? ""}`,
    ),
    ...[...streams].map(([connection, text]) => `  arrived on ${connection} ${shown(text)}`),
    `  answered ${shown(received)}`,
  ].join("\n");
}

function shown(text: string): string {
  const rest = text.length - MOST_BYTES;
  return JSON.stringify(text.slice(0, MOST_BYTES)) + (rest > 0 ? ` and ${rest} bytes more` : "");
}
