/** Rows of the demo for a file or a pipe: what was tried, what came out, and why. */
import type { Reason } from "../../policy/decision.ts";
import type { Print } from "../print-line.ts";
import type { Report } from "./report.ts";
import type { Finding, Row } from "./row.ts";

export function plainReport(print: Print): Report {
  return {
    print,
    printWhole: print,
    begin: () => {},
    end: (number, { row, finding }) => {
      for (const line of formatRow(number, { row, finding })) print(line);
    },
    decided: () => {},
  };
}

/** A blank line, then the row. */
export function formatRow(
  number: number,
  { row, finding }: { readonly row: Row; readonly finding: Finding },
): readonly string[] {
  const { verdict, identities, because, decision, surprises } = finding;
  const outcome = surprises.length === 0 ? "as expected" : "SURPRISE";
  return [
    "",
    `${number}. ${row.caller} -> ${row.callee}  ${row.request}`,
    `   ${verdict} (${outcome}: ${row.expected})`,
    ...(identities === "" ? [] : [`   who  ${identities}`]),
    ...(because === "" ? [] : [`   why  ${because}`]),
    ...(decision === undefined ? [] : unmetConditions(decision.reason)).map(
      (condition) => `        ${condition}`,
    ),
    ...surprises.map((surprise) => `   but  ${surprise}`),
  ];
}

function unmetConditions(reason: Reason): string[] {
  const nearest = reason.because === "no-allow-matched" ? reason.nearest[0] : undefined;
  return (nearest?.unmet ?? []).map(
    ({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`,
  );
}
