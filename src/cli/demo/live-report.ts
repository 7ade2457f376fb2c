/** Rows of the demo on a terminal: a table that grows as they come in, each refusal explained below it. */
import type { Workload } from "../../policy/workload.ts";
import { printable } from "../../runtime/printable.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { decidedBy } from "./decided-by.ts";
import { decisionRow } from "./decision-row.ts";
import { foldLine } from "./fold-line.ts";
import type { Paint } from "./paint.ts";
import { refusalInWords } from "./refusal-in-words.ts";
import type { Report } from "./report.ts";
import type { Finding, Row } from "./row.ts";
import type { Screen } from "./screen.ts";
import { formatTitles, formatVerdictRow, type VerdictRow } from "./verdict-table.ts";

const INDENT = " ".repeat(4);

export class LiveReport implements Report {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #total: number;
  #surprises = 0;

  constructor(screen: Screen, { paint, rows }: { readonly paint: Paint; readonly rows: number }) {
    this.#screen = screen;
    this.#paint = paint;
    this.#total = rows;
  }

  print(line: string): void {
    this.#screen.print(line);
  }

  printWhole(line: string): void {
    this.#screen.printLines([line]);
  }

  begin(number: number, row: Row): void {
    if (number === 1) {
      this.#screen.printLines(["", ...formatTitles(this.#screen.columns, this.#paint)]);
    }
    const pending: VerdictRow = {
      ...describe(row, number),
      verdict: "…",
      shade: "faint",
      decidedBy: row.expected,
      identities: "",
    };
    const progress = `${number - 1} of ${this.#total} rows, ${countSurprises(this.#surprises)}`;
    this.#screen.showLive([...this.#format(pending), progress]);
  }

  end(number: number, { row, finding }: { readonly row: Row; readonly finding: Finding }): void {
    const { verdict, because, decision, identities, surprises } = finding;
    if (surprises.length > 0) this.#surprises++;
    this.#screen.showLive([]);
    this.#show(
      {
        ...describe(row, number),
        verdict,
        shade: surprises.length > 0 || decision?.verdict === "deny" ? "bad" : "good",
        decidedBy: decision === undefined ? "" : decidedBy(decision.reason),
        identities,
      },
      decision === undefined ? [because] : refusalInWords(decision),
    );
    for (const surprise of surprises) this.#note(`SURPRISE: ${surprise}`, "bad");
  }

  decided(entry: AccessLogEntry, judge: Workload): void {
    this.#show(decisionRow(entry, judge), refusalInWords(entry.decision ?? undefined));
  }

  #show(row: VerdictRow, explanation: readonly string[]): void {
    this.#screen.printLines(this.#format(row));
    for (const line of explanation) this.#note(line, "faint");
  }

  #format(row: VerdictRow): readonly string[] {
    return formatVerdictRow(row, { columns: this.#screen.columns, paint: this.#paint });
  }

  #note(text: string, shade: "bad" | "faint"): void {
    const lines = foldLine(INDENT + printable(text), this.#screen.columns);
    this.#screen.printLines(lines.map((line) => this.#paint(line, shade)));
  }
}

function describe(
  { caller, callee, request }: Row,
  number: number,
): Pick<VerdictRow, "number" | "caller" | "callee" | "request"> {
  return { number: String(number), caller, callee, request };
}

function countSurprises(count: number): string {
  return count === 1 ? "1 surprise" : `${count} surprises`;
}
