/** One process that runs tests, ended at the first failure, or when it says nothing for too long. */
import { spawn } from "node:child_process";
import { ACTIVE_MUTANT } from "./mutated-copy.ts";
import { bundleOf, RUNNER } from "./test-bundles.ts";

export type Outcome =
  | { readonly ended: "passed" | "silent" }
  /** @property what the first line that tells of a failure, or how the process ended */
  | { readonly ended: "failed"; readonly what: string };

export interface TestRun {
  readonly folder: string;
  /** In the order in which they run. */
  readonly files: readonly string[];
  /** None is active unless one is named. */
  readonly mutant?: string;
  /** Where to write which mutants the tests reached. */
  readonly coverageFile?: string;
  /** Milliseconds without a word after which the tests count as hanging. */
  readonly patience: number;
}

const FAILURE = /^ *not ok .*$/m;
/** What eats memory without end is noticed before the machine suffers. */
const MEMORY = "--max-old-space-size=1500";

export function runTests(run: TestRun): Promise<Outcome> {
  const { folder, files, mutant, coverageFile = "", patience } = run;
  const bundles = files.map(bundleOf);
  const flags = [MEMORY, "--test-reporter=tap", bundleOf(RUNNER), coverageFile];
  const child = spawn(process.execPath, [...flags, ...bundles], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...(mutant !== undefined && { [ACTIVE_MUTANT]: mutant }) },
  });
  return new Promise((settle) => {
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      settle(outcome);
    };
    const timer = setTimeout(() => end({ ended: "silent" }), patience);
    child.stdout.on("data", (text: Buffer) => {
      timer.refresh();
      const failure = FAILURE.exec(text.toString())?.[0];
      if (failure !== undefined) end({ ended: "failed", what: failure.trim() });
    });
    child.on("close", (code, signal) =>
      end(
        code === 0
          ? { ended: "passed" }
          : { ended: "failed", what: `ended with ${code ?? signal}` },
      ),
    );
  });
}
