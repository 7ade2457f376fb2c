/** Which mutants each test file reaches, and how long it takes: a mutant is tried with the files that reach it alone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inParallel } from "./in-parallel.ts";
import type { Mutant } from "./mutated-copy.ts";
import { runTests } from "./test-process.ts";

export interface CoveredTest {
  readonly file: string;
  /** Milliseconds, of the file alone. */
  readonly duration: number;
  /** A byte a mutant, by its number: 1 where a test passes its place. */
  readonly reached: Uint8Array;
}

const PATIENCE_MS = 300_000;

/**
 * Runs every file once, alone, with no mutant active.
 *
 * @throws Error naming the tests that fail without any mutant
 */
export async function measureTests(
  folder: string,
  files: readonly string[],
): Promise<readonly CoveredTest[]> {
  const covered: CoveredTest[] = [];
  const failures: string[] = [];
  await inParallel(files, async (file) => {
    const coverageFile = join(folder, `coverage-${files.indexOf(file)}`);
    const started = performance.now();
    const outcome = await runTests({ folder, files: [file], coverageFile, patience: PATIENCE_MS });
    const duration = performance.now() - started;
    if (outcome.ended !== "passed") failures.push(`${file} ${JSON.stringify(outcome)}`);
    else covered.push({ file, duration, reached: readFileSync(coverageFile) });
  });
  if (failures.length > 0) throw new Error(`fails without any mutant: ${failures.join("; ")}`);
  return covered;
}

/** Those that reach the mutant: the one beside its file first, then by time. */
export function testsFor(
  { id, fileName }: Mutant,
  tests: readonly CoveredTest[],
): readonly CoveredTest[] {
  const beside = fileName.replace(/\.ts$/, ".test.ts");
  return tests
    .filter(({ reached }) => reached[Number(id)] === 1)
    .sort(
      (a, b) => Number(b.file === beside) - Number(a.file === beside) || a.duration - b.duration,
    );
}
