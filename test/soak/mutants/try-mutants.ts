/** Tries mutants, each in a process of its own, and keeps those that no test notices. */
import { inParallel } from "./in-parallel.ts";
import type { Mutant } from "./mutated-copy.ts";
import { type CoveredTest, testsFor } from "./test-coverage.ts";
import { runTests } from "./test-process.ts";

export interface Survivor {
  readonly mutant: Mutant;
  /** No test reaches the place. */
  readonly unreached: boolean;
}

export interface Trial {
  readonly survivors: readonly Survivor[];
  /** Killed because they never end. */
  readonly silent: number;
}

/** A mutant that loops is noticed by that: by this many times the time of its slowest tests. */
const SLOWER = 6;
const LEAST_PATIENCE_MS = 10_000;
const TOLD_EVERY = 25;

export async function tryMutants(
  folder: string,
  sample: readonly Mutant[],
  tests: readonly CoveredTest[],
): Promise<Trial> {
  const survivors: Survivor[] = [];
  const started = performance.now();
  let silent = 0;
  let done = 0;
  await inParallel(sample, async (mutant) => {
    const reaching = testsFor(mutant, tests);
    const ended = reaching.length > 0 ? await endedBy(folder, mutant, reaching) : "passed";
    if (ended === "passed") survivors.push({ mutant, unreached: reaching.length === 0 });
    if (ended === "silent") silent += 1;
    done += 1;
    if (done % TOLD_EVERY === 0) {
      const left = ((performance.now() - started) / done) * (sample.length - done);
      console.log(
        `${done} of ${sample.length} tried, ${survivors.length} survive, about ${Math.ceil(left / 60_000)} min left`,
      );
    }
  });
  return { survivors, silent };
}

async function endedBy(
  folder: string,
  { id }: Mutant,
  reaching: readonly CoveredTest[],
): Promise<"passed" | "failed" | "silent"> {
  const slowest = Math.max(...reaching.map(({ duration }) => duration));
  const { ended } = await runTests({
    folder,
    files: reaching.map(({ file }) => file),
    mutant: id,
    patience: Math.max(LEAST_PATIENCE_MS, SLOWER * slowest),
  });
  return ended;
}
