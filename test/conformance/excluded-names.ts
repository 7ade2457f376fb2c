/**
 * Writes the names of the cases that rules exclude into `docs/reference/conformance-excluded.md`, below the rules:
 * `npx tsx test/conformance/excluded-names.ts [DIR]`. Cases that were kept back are not named.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runConformance } from "./run-conformance.ts";

const BESIDE_THE_REPOSITORY = join(import.meta.dirname, "../../../shared/conformance");
const PAGE = join(import.meta.dirname, "../../docs/reference/conformance-excluded.md");
const HEADING = "## By name";

const [directory = BESIDE_THE_REPOSITORY] = process.argv.slice(2);
const lines: string[] = [];
await runConformance({ directory, excluded: "named" }, (line) => lines.push(line));
const [rules = ""] = readFileSync(PAGE, "utf8").split(`\n${HEADING}\n`);
writeFileSync(PAGE, `${rules.trimEnd()}\n\n${HEADING}\n\n${sections().join("\n")}`);

function sections(): readonly string[] {
  const byTable = new Map<string, Map<string, string[]>>();
  let table = "";
  for (const line of lines) {
    table = /^(\S+\/\S+)( \(.*\))?: /.exec(line)?.[0] ?? table;
    const [, name, reason] = /^ {2}excluded: (.+?): (.+)$/.exec(line) ?? [];
    if (name === undefined || reason === undefined || table.includes("(heldout")) continue;
    const ofTable = byTable.get(table) ?? new Map<string, string[]>();
    byTable.set(table, ofTable);
    ofTable.set(reason, [...(ofTable.get(reason) ?? []), name]);
  }
  return [...byTable].flatMap(([name, reasons]) => [
    `### ${name.replace(/:.*$/, "")}`,
    "",
    ...[...reasons].flatMap(([reason, names]) => [`- ${reason}:`, ...names.map(tell)]),
    "",
  ]);
}

function tell(name: string): string {
  return `  - \`${name.replaceAll("`", "'")}\``;
}
