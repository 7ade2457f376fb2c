/**
 * `npm run test:mutants -- [COUNT [SEED]]`: changes one thing in the policy engine and its matchers at a time, and asks
 * whether the tests notice. A seeded sample, every mutant in a process of its own; survivors are listed to be judged.
 */
import { spawn } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { build } from "esbuild";

const [count = "600", seed = "1"] = process.argv.slice(2);
const COPIED = [
  "src",
  "test",
  "examples",
  "docs",
  "package.json",
  "tsconfig.json",
  "ARCHITECTURE.md",
  "README.md",
];
const MATCHERS = ["string-match", "path-template", "cidr", "label-selector", "plain-address"];
const GOAL = 0.85;
/** A mutant that loops is noticed by that. */
const SLOWER = 6;

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly status?: string;
}

const folder = mkdtempSync(join(tmpdir(), "hauberk-mutants-"));

async function run(): Promise<number> {
  for (const path of COPIED) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  const mutants = await instrument(mutatedFiles());
  await bundleTests();
  const started = performance.now();
  if ((await outcomeOf(undefined, Number.POSITIVE_INFINITY)) !== "survived") {
    console.error("the tests fail without any mutant");
    return 1;
  }
  const limit = (performance.now() - started) * SLOWER;
  const sample = shuffled(mutants).slice(0, Number(count));
  console.log(
    `${mutants.length} mutants, ${sample.length} of them tried, seed ${seed}, ${(limit / SLOWER / 1000).toFixed(1)} s a run`,
  );
  const survivors = await tryAll(sample, limit);
  for (const mutant of survivors.sort(byPlace)) console.log(tell(mutant));
  const killed = 1 - survivors.length / sample.length;
  const holds = killed >= GOAL;
  console.log(
    `mutants killed: ${(100 * killed).toFixed(1)} % (goal >= ${100 * GOAL} %) ${holds ? "holds" : "falls short"}`,
  );
  return holds ? 0 : 1;
}

function mutatedFiles(): readonly string[] {
  const policy = readdirSync("src/policy", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => `src/policy/${file}`);
  return [...policy, ...MATCHERS.map((name) => `src/api/${name}.ts`)];
}

const SLOW_TESTS = /^test\/naive\/|-laws\.test|^src\/api\//;

/** Those that take long come last: most mutants are noticed before. Whatever asks the engine, the model and the matchers, without processes or sockets. */
function testFiles(): readonly string[] {
  const wanted =
    /^(src\/policy\/|src\/api\/|test\/naive\/|src\/cli\/commands\/(explain|describe|authz))/;
  return ["src", "test"]
    .flatMap((top) =>
      readdirSync(top, { recursive: true, encoding: "utf8" }).map((file) => `${top}/${file}`),
    )
    .filter((file) => wanted.test(file) && file.endsWith(".test.ts"))
    .sort((a, b) => Number(SLOW_TESTS.test(a)) - Number(SLOW_TESTS.test(b)));
}

/** One file starts sooner than hundreds that are compiled one by one. Packages stay outside. */
async function bundleTests(): Promise<void> {
  const imports = testFiles().map((file) => `import "./${file}";`);
  writeFileSync(join(folder, "all-tests.ts"), imports.join("\n"));
  await build({
    absWorkingDir: folder,
    entryPoints: ["all-tests.ts"],
    outfile: "all-tests.mjs",
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
}

async function instrument(files: readonly string[]): Promise<readonly Mutant[]> {
  const instrumenter = new Instrumenter(SILENT);
  const given = files.map((name) => ({ name, mutate: true, content: readFileSync(name, "utf8") }));
  const { files: instrumented, mutants } = await instrumenter.instrument(given, {
    plugins: null,
    excludedMutations: [],
    ignorers: [],
  });
  for (const { name, content } of instrumented) writeFileSync(join(folder, name), content);
  return mutants.filter(({ status }) => status !== "Ignored");
}

const nothing = (): void => {};
const no = (): boolean => false;
const SILENT = {
  isTraceEnabled: no,
  isDebugEnabled: no,
  isInfoEnabled: no,
  isWarnEnabled: no,
  isErrorEnabled: no,
  isFatalEnabled: no,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};

async function tryAll(sample: readonly Mutant[], limit: number): Promise<Mutant[]> {
  const waiting = [...sample];
  const survivors: Mutant[] = [];
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let mutant = waiting.pop(); mutant !== undefined; mutant = waiting.pop()) {
      if ((await outcomeOf(mutant.id, limit)) === "survived") survivors.push(mutant);
      done += 1;
      if (done % 25 === 0)
        console.log(`${done} of ${sample.length} tried, ${survivors.length} survive`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return survivors;
}

/** @param limit milliseconds */
function outcomeOf(mutant: string | undefined, limit: number): Promise<"killed" | "survived"> {
  const child = spawn(process.execPath, ["--test-reporter=tap", "all-tests.mjs"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...(mutant !== undefined && { __STRYKER_ACTIVE_MUTANT__: mutant }) },
  });
  return new Promise((settle) => {
    const end = (outcome: "killed" | "survived"): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      settle(outcome);
    };
    const timer = setTimeout(end, Math.min(limit, 2 ** 31 - 1), "killed");
    child.stdout.on("data", (text: Buffer) => {
      const failure = /^ *not ok .*$/m.exec(text.toString())?.[0];
      if (failure === undefined) return;
      if (mutant === undefined) console.error(failure.trim());
      end("killed");
    });
    child.on("exit", (code) => end(code === 0 ? "survived" : "killed"));
  });
}

function tell({ fileName, location: { start }, mutatorName, replacement }: Mutant): string {
  const line = readFileSync(fileName, "utf8").split("\n")[start.line]?.trim() ?? "";
  const words = replacement.replace(/\s+/g, " ").slice(0, 100);
  return `survived ${fileName}:${start.line + 1}:${start.column + 1} ${mutatorName}\n    ${line.slice(0, 140)}\n    becomes ${words}`;
}

function byPlace(a: Mutant, b: Mutant): number {
  return a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line;
}

/** Seeded, so that a sample can be tried again. */
function shuffled(mutants: readonly Mutant[]): readonly Mutant[] {
  let state = Number(seed);
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const order = [...mutants];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    const [a, b] = [order[last], order[other]];
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a];
  }
  return order;
}

try {
  process.exitCode = await run();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
