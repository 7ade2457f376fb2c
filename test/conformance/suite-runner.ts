/** What the runner of one suite of upstream cases is, and how it says what became of a case. */

/** One case of a table; the fields besides its name are the suite's own. */
export type ConformanceCase = { readonly name: string } & { readonly [field: string]: unknown };

export type CaseOutcome =
  | { readonly outcome: "passed" }
  | { readonly outcome: "failed"; readonly expected: string; readonly got: string }
  | { readonly outcome: "skipped"; readonly reason: string }
  /** By a rule: what the case is about has no form here, and why; docs/reference/conformance-excluded.md lists all. */
  | { readonly outcome: "excluded"; readonly reason: string };

/** What a suite's cases are excluded for. */
export interface ExclusionRule<Case> {
  /** In words that need no case beside them, with the id of the rule that differs: printed, and in the docs. */
  readonly reason: string;
  /** Of the fields of a case, never of its name: what is kept from the authors falls under it too. */
  applies(test: Case): boolean;
}

/** The first rule that excludes the case. */
export function excludedBy<Case>(
  rules: readonly ExclusionRule<Case>[],
  test: Case,
): CaseOutcome | undefined {
  const rule = rules.find((candidate) => candidate.applies(test));
  return rule && { outcome: "excluded", reason: rule.reason };
}

export interface TableRunner {
  /** Every field that is understood: a case with any other is skipped, not judged by half. "any" where none is read. */
  readonly fields: readonly string[] | "any";
  /** @param folder where the table lies, and the files that its cases refer to */
  run(test: ConformanceCase, folder: string): CaseOutcome | Promise<CaseOutcome>;
}

/** The tables of one suite, by name. */
export type SuiteRunner = Readonly<Record<string, TableRunner>>;

/** What every case has, and no runner needs. */
const COMMON_FIELDS = ["name", "source"];

/** Runs one case; whatever is thrown is a failure. */
export async function runCase(
  runner: TableRunner | undefined,
  { test, folder }: { readonly test: ConformanceCase; readonly folder: string },
): Promise<CaseOutcome> {
  if (runner === undefined) return { outcome: "skipped", reason: "no runner for this table" };
  const known = runner.fields === "any" ? Object.keys(test) : [...COMMON_FIELDS, ...runner.fields];
  const unknown = Object.keys(test).filter((field) => !known.includes(field));
  if (unknown.length > 0) {
    return { outcome: "skipped", reason: `fields not understood: ${unknown.join(", ")}` };
  }
  try {
    return await runner.run(test, folder);
  } catch (error) {
    return { outcome: "failed", expected: "a verdict", got: String(error) };
  }
}

/** Passed when both are the same in words; nothing expected is nothing shown. */
export function compare({
  expected,
  got,
}: {
  readonly expected: string;
  readonly got: string;
}): CaseOutcome {
  if (expected === "") return { outcome: "skipped", reason: "nothing is expected" };
  return expected === got ? { outcome: "passed" } : { outcome: "failed", expected, got };
}
