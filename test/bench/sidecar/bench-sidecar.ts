/** `npm run bench -- sidecar`: a pair of our sidecars beside pairs of Envoy, nginx and HAProxy, in the same minutes on the same core. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { describeError } from "../../../src/runtime/hauberk-error.ts";
import { rounded, type Target, tellTargets } from "../goals.ts";
import { type BenchGround, prepareGround } from "./bench-ground.ts";
import { type BenchOptions, parseBenchOptions, USAGE } from "./bench-options.ts";
import { CHURN, CHURN_TITLE, measureChurn } from "./endpoint-churn.ts";
import type { Cycle, Figure } from "./figure.ts";
import { figureTable, tellDisturbance } from "./figure-table.ts";
import { figuresFor } from "./figures.ts";
import { judgeGoal } from "./judge-goal.ts";
import { measureFigure } from "./measure-figure.ts";
import type { Slice } from "./slice.ts";
import { STACK_NAMES } from "./stacks.ts";

const DEFAULT_CYCLES = 5;
const print = (line: string): void => console.log(line);

/** All that was measured, for `--out`. */
type Measurements = Record<string, readonly Record<string, Slice>[]>;

/** @returns the exit code: 1 when a goal is missed */
export function benchSidecar(args: readonly string[]): Promise<number> {
  return benchFigures(args, { figuresFor, usage: USAGE, others: [CHURN] });
}

/** What a benchmark measures, of pairs of proxies. */
export interface FigureBench {
  /** @param nodeVersion major */
  readonly figuresFor: (nodeVersion: number) => readonly Figure[];
  readonly usage: string;
  /** Figures that are measured another way, by name. */
  readonly others?: readonly string[];
}

/** @returns the exit code: 1 when a goal is missed */
export async function benchFigures(
  args: readonly string[],
  { figuresFor, usage, others = [] }: FigureBench,
): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(args);
  } catch (error) {
    console.error(describeError(error));
    return 1;
  }
  const nodeVersion = execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim();
  const figures = figuresFor(Number(/\d+/.exec(nodeVersion)?.[0]));
  const names = [...figures.map(({ name }) => name), ...others];
  if (options.help) {
    print(`${usage}\n\nFigures: ${names.join(", ")}\nPairs: ${STACK_NAMES.join(", ")}`);
    return 0;
  }
  const problem =
    unknownIn("--only", options.only, names) ?? unknownIn("--stacks", options.stacks, STACK_NAMES);
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const ground = await prepareGround(options);
  try {
    tellMachine(ground, nodeVersion);
    return tellTargets(await measureAll(figures, { ground, options, others }), print) ? 0 : 1;
  } finally {
    await ground.close();
  }
}

async function measureAll(
  figures: readonly Figure[],
  {
    ground,
    options,
    others,
  }: {
    readonly ground: BenchGround;
    readonly options: BenchOptions;
    readonly others: readonly string[];
  },
): Promise<readonly Target[]> {
  const isWanted = (name: string): boolean =>
    options.only.length === 0 || options.only.includes(name);
  const measured: Measurements = {};
  const targets: Target[] = [];
  for (const figure of figures.filter(({ name }) => isWanted(name))) {
    targets.push(...(await measureOne(figure, { ground, options, measured })));
  }
  const mayChurn = others.includes(CHURN) && isWanted(CHURN);
  if (mayChurn && (options.stacks.length === 0 || options.stacks.includes("hauberk"))) {
    tellTitle(CHURN, CHURN_TITLE);
    targets.push(...(await measureChurn(ground, { ...options, print })));
  }
  if (options.out !== undefined) writeFileSync(options.out, JSON.stringify(measured, null, 1));
  print(`\nload average ${loadavg().map(rounded).join(" ")}`);
  return targets;
}

async function measureOne(
  figure: Figure,
  {
    ground,
    options,
    measured,
  }: {
    readonly ground: BenchGround;
    readonly options: BenchOptions;
    readonly measured: Measurements;
  },
): Promise<readonly Target[]> {
  const stacks = figure.stacks.filter(
    (name) => options.stacks.length === 0 || options.stacks.includes(name),
  );
  const goals = figure.goals.filter(({ of }) => of.every((name) => stacks.includes(name)));
  if (stacks.length === 0) return [];
  tellTitle(figure.name, figure.title);
  const wanted = options.cycles ?? Math.max(DEFAULT_CYCLES, figure.leastCycles ?? 0);
  const parts = { ...options, cycles: wanted, stacks, print };
  const cycles = await measureFigure(figure, ground, parts).catch(tellFailure);
  measured[figure.name] = cycles.map((cycle) =>
    Object.fromEntries(stacks.map((name) => [name, cycle(name)])),
  );
  if (cycles.length < wanted) {
    print(`  only ${cycles.length} of ${wanted} cycles were good: the figure does not count`);
    return goals.map((goal) => ({ ...goal, unit: "", figure: Number.NaN }));
  }
  for (const line of figureTable(figure, { stacks, cycles })) print(line);
  tellDisturbance({ stacks, cycles }, print);
  return goals.map((goal) => judgeGoal(goal, { cycles, print }));
}

function unknownIn(
  option: string,
  given: readonly string[],
  known: readonly string[],
): string | undefined {
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return `${option} ${unknown.join(",")}: expected some of ${known.join(", ")}`;
}

/** One figure that cannot be measured is no reason to lose the others. */
function tellFailure(error: unknown): readonly Cycle[] {
  print(`  not measured: ${describeError(error)}`);
  return [];
}

function tellTitle(name: string, title: string): void {
  print(`\n${name}: ${title}; load average ${rounded(loadavg()[0] ?? 0)}`);
}

function tellMachine({ context }: BenchGround, nodeVersion: string): void {
  const [core] = cpus();
  print(`${core?.model.trim()}, ${cpus().length} cores; Node ${nodeVersion}`);
  print(
    `Envoy ${context.envoy().version}, nginx ${context.nginx().version}, HAProxy ${context.haproxy().version}; proxies on core 0, load and applications on core 1`,
  );
}
