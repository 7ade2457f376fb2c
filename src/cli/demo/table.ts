/** Rows of the demo as people read them: what was tried, what came out, and why. */
import type { Print } from "../start-mesh.ts";
import type { Finding, Row } from "./rows.ts";

export function printRow(
  { number, row, finding }: { number: number; row: Row; finding: Finding },
  print: Print,
): void {
  const outcome = finding.surprises.length === 0 ? "as expected" : "SURPRISE";
  print("");
  print(`${number}. ${row.caller} -> ${row.callee}  ${row.request}`);
  print(`   ${finding.verdict} (${outcome}: ${row.expected})`);
  if (finding.identities !== "") print(`   who  ${finding.identities}`);
  if (finding.because !== "") print(`   why  ${finding.because}`);
  for (const detail of finding.details) print(`        ${detail}`);
  for (const surprise of finding.surprises) print(`   but  ${surprise}`);
}

export function printSummary(
  { rows, surprises, data }: { rows: number; surprises: number; data: string },
  print: Print,
): void {
  print("");
  print(
    surprises === 0
      ? `All ${rows} rows came out as expected.`
      : `${surprises} of ${rows} rows came out otherwise than expected.`,
  );
  print(`Read what the sidecars wrote:  ${data}/logs/production/api-0/access.log`);
  print(
    "Ask about any other request:   npx hauberk explain -f examples/first-verdict --from production/frontend --to production/api:8080 --request 'PUT /api/orders'",
  );
}
