/**
 * `npm run test:mutants -- [COUNT [SEED]]`: changes one thing in the policy engine and its matchers at a time, and asks
 * whether the tests notice. A seeded sample; survivors are listed, to be judged in `docs/reference/mutants.md`.
 */
import { readFileSync, rmSync } from "node:fs";
import { copyRepository, writeMutants } from "./mutants/mutated-copy.ts";
import { seededSample } from "./mutants/seeded-sample.ts";
import { bundleTests } from "./mutants/test-bundles.ts";
import { measureTests } from "./mutants/test-coverage.ts";
import { type Survivor, tryMutants } from "./mutants/try-mutants.ts";

const [count = "600", seed = "1"] = process.argv.slice(2);
const GOAL = 0.85;

async function run(folder: string): Promise<number> {
  const mutants = await writeMutants(folder);
  const started = performance.now();
  const tests = await measureTests(folder, await bundleTests(folder));
  const sample = seededSample(mutants, Number(count), Number(seed));
  console.log(
    `${mutants.length} mutants, ${sample.length} of them tried, seed ${seed}; ${tests.length} test files, ${seconds(started)} s for all`,
  );
  const { survivors, silent } = await tryMutants(folder, sample, tests);
  for (const survivor of survivors.toSorted(byPlace)) console.log(tell(survivor));
  const killed = 1 - survivors.length / sample.length;
  const holds = killed >= GOAL;
  console.log(
    `mutants killed: ${(100 * killed).toFixed(1)} % of ${sample.length}, seed ${seed} (goal >= ${100 * GOAL} %) ${holds ? "holds" : "falls short"}`,
  );
  console.log(
    `${survivors.length} survive, ${silent} killed by time alone, ${seconds(started)} s in all`,
  );
  return holds ? 0 : 1;
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(0);

function tell({ mutant, unreached }: Survivor): string {
  const { fileName, location, mutatorName, replacement } = mutant;
  const { line, column } = location.start;
  const code = readFileSync(fileName, "utf8").split("\n")[line]?.trim() ?? "";
  const words = replacement.replace(/\s+/g, " ").slice(0, 100);
  const fate = unreached ? "not covered" : "survived";
  return `${fate} ${fileName}:${line + 1}:${column + 1} ${mutatorName}\n    ${code.slice(0, 140)}\n    becomes ${words}`;
}

function byPlace({ mutant: a }: Survivor, { mutant: b }: Survivor): number {
  return a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line;
}

const folder = copyRepository();
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
process.exitCode = await run(folder);
