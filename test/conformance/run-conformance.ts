/** Runs the suites of upstream cases that lie in a folder, table by table, and says how many hold. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { analyze } from "./analyze.ts";
import { authzGolden } from "./authz-golden/authz-golden.ts";
import { crdValidation } from "./crd-validation.ts";
import { describe } from "./describe/describe.ts";
import { envoyRbac } from "./envoy-rbac/envoy-rbac.ts";
import { jwt } from "./jwt/jwt.ts";
import { networkpolicy } from "./networkpolicy.ts";
import { peerAuthentication } from "./peer-authentication/peer-authentication.ts";
import { securityE2e } from "./security-e2e/security-e2e.ts";
import { spiffeId } from "./spiffe-id/spiffe-id.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  runCase,
  type SuiteRunner,
} from "./suite-runner.ts";

export interface ConformanceOptions {
  /** Holds `SUITE/{given,heldout}/TABLE.json`. */
  readonly directory: string;
  /** The only suite to run; absent: all. */
  readonly suite?: string | undefined;
  readonly runners?: Readonly<Record<string, SuiteRunner>>;
  /** Said of each table besides its folder, such as "enforced". */
  readonly note?: string;
  /** Whether the cases that are excluded are named, with the reason; else they are counted. */
  readonly excluded?: "named" | "counted";
}

const RUNNERS: Readonly<Record<string, SuiteRunner>> = {
  analyze,
  "authz-golden": authzGolden,
  "crd-validation": crdValidation,
  describe,
  "envoy-rbac": envoyRbac,
  jwt,
  networkpolicy,
  "peer-authentication": peerAuthentication,
  "security-e2e": securityE2e,
  "spiffe-id": spiffeId,
};

/** Cases that the authors have seen, and such as were kept from them. */
const FOLDERS = ["given", "heldout"] as const;

const OUTCOMES = ["passed", "failed", "skipped", "excluded"] as const;

interface Table {
  readonly suite: string;
  readonly folder: (typeof FOLDERS)[number];
  readonly path: string;
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** @returns 0 when something ran and nothing failed, else 1: an exit code */
export async function runConformance(
  { directory, suite, runners = RUNNERS, note, excluded = "counted" }: ConformanceOptions,
  print: (line: string) => void,
): Promise<number> {
  const outcomes: CaseOutcome["outcome"][] = [];
  for (const name of suitesIn(directory)) {
    if (suite !== undefined && name !== suite) continue;
    const runner = runners[name];
    const tables = tablesOf(join(directory, name), name);
    if (runner === undefined) print(`${name}: no runner yet (${count(tables)} cases)`);
    else
      for (const table of tables)
        outcomes.push(...(await runTable(table, { runner, print, note, excluded })));
  }
  const ran = outcomes.filter((outcome) => outcome === "passed" || outcome === "failed");
  if (ran.length === 0) print("nothing ran");
  return ran.length > 0 && !ran.includes("failed") ? 0 : 1;
}

function suitesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => FOLDERS.some((folder) => existsSync(join(directory, name, folder))))
    .sort();
}

function tablesOf(directory: string, suite: string): readonly Table[] {
  return FOLDERS.flatMap((folder) => {
    const path = join(directory, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .map((file) => {
        const { cases = [] } = JSON.parse(readFileSync(join(path, file), "utf8"));
        return { suite, folder, path, name: file.replace(/\.json$/, ""), cases };
      });
  });
}

function count(tables: readonly Table[]): number {
  return tables.reduce((sum, { cases }) => sum + cases.length, 0);
}

async function runTable(
  { suite, folder, path, name, cases }: Table,
  {
    runner,
    print,
    note,
    excluded,
  }: {
    readonly runner: SuiteRunner;
    readonly print: (line: string) => void;
    readonly note: string | undefined;
    readonly excluded: "named" | "counted";
  },
): Promise<readonly CaseOutcome["outcome"][]> {
  const outcomes: CaseOutcome["outcome"][] = [];
  const details: string[] = [];
  for (const test of cases) {
    const result = await runCase(runner[name], { test, folder: path });
    outcomes.push(result.outcome);
    if (result.outcome !== "excluded" || excluded === "named") {
      details.push(...tell(test.name, result));
    }
  }
  const sums = OUTCOMES.map(
    (wanted) => `${outcomes.filter((outcome) => outcome === wanted).length} ${wanted}`,
  );
  const remarks = [folder === "given" ? undefined : folder, note].filter(Boolean).join(", ");
  const label = remarks === "" ? `${suite}/${name}` : `${suite}/${name} (${remarks})`;
  print(`${label}: ${sums.join(", ")}`);
  for (const line of details) print(line);
  return outcomes;
}

function tell(name: string, result: CaseOutcome): readonly string[] {
  switch (result.outcome) {
    case "passed":
      return [];
    case "failed":
      return [`  failed: ${name}`, `    expected ${result.expected}`, `    got      ${result.got}`];
    case "skipped":
      return [`  skipped: ${name}: ${result.reason}`];
    case "excluded":
      return [`  excluded: ${name}: ${result.reason}`];
  }
}
