/** One figure: all its pairs up at once, visited in turn, cycle after cycle, until enough cycles are good. */
import { rounded } from "../goals.ts";
import type { BenchGround } from "./bench-ground.ts";
import { checkPair } from "./check-pair.ts";
import type { Cycle, Figure } from "./figure.ts";
import type { Pair } from "./proxy-side.ts";
import {
  cpuPerRequest,
  measureSlice,
  ratePerSecond,
  type Slice,
  type SliceLength,
} from "./slice.ts";
import { type StackName, startStack } from "./stacks.ts";

/** Void cycles for each good one that is wanted; then the figure is given up. */
const PATIENCE = 1;
const LEAST_PATIENCE = 3;
const WARM_UP_SECONDS = 4;

export interface FigureOptions extends SliceLength {
  readonly cycles: number;
  /** Of the figure's, those to run. */
  readonly stacks: readonly StackName[];
  readonly print: (line: string) => void;
}

/** @returns the good cycles: fewer than wanted when too many went wrong */
export async function measureFigure(
  figure: Figure,
  ground: BenchGround,
  options: FigureOptions,
): Promise<readonly Cycle[]> {
  const pairs = new Map<StackName, Pair>();
  try {
    for (const name of options.stacks) {
      const pair = await startStack(name, ground.context);
      pairs.set(name, pair);
      await checkPair(name, pair);
      await figure.check?.(name, pair);
    }
    await warmUp(figure, { ground, pairs, options });
    return await runCycles(figure, { ground, pairs, options });
  } finally {
    await Promise.all([...pairs.values()].map((pair) => pair.stop()));
  }
}

/** The pairs of a figure, up. */
export interface Running {
  readonly ground: BenchGround;
  readonly pairs: ReadonlyMap<StackName, Pair>;
  readonly options: FigureOptions;
}

/** Uncounted, and longer than a slice: what compiles while it runs has done so. */
async function warmUp(figure: Figure, running: Running): Promise<void> {
  const { seconds } = running.options;
  const longer = { ...running.options, seconds: Math.max(seconds, WARM_UP_SECONDS) };
  const warming = { ...running, options: longer };
  for (const [name, pair] of running.pairs) {
    const { errors } = await sliceOf(figure, { pair, running: warming });
    if (errors.length > 0) running.options.print(`  ${name}, warming up: ${errors.join("; ")}`);
  }
}

/** @returns those in which every pair did something, and nothing went wrong */
export async function runCycles(figure: Figure, running: Running): Promise<readonly Cycle[]> {
  const { cycles, print } = running.options;
  const good: Cycle[] = [];
  const patience = Math.max(LEAST_PATIENCE, cycles * PATIENCE);
  for (let attempt = 1; good.length < cycles && attempt - good.length <= patience; attempt++) {
    const slices = new Map<StackName, Slice>();
    for (const [name, pair] of running.pairs) {
      slices.set(name, await sliceOf(figure, { pair, running }));
    }
    const wrong = [...slices].filter(([, slice]) => faultsOf(slice).length > 0);
    for (const [name, slice] of wrong) print(`  void: ${name}: ${faultsOf(slice).join("; ")}`);
    if (wrong.length === 0) good.push(cycleOf(slices));
    print(
      `  cycle ${attempt}: ${[...slices].map(([name, slice]) => brief(name, slice)).join(", ")}`,
    );
  }
  return good;
}

async function sliceOf(
  figure: Figure,
  { pair, running }: { readonly pair: Pair; readonly running: Running },
): Promise<Slice> {
  const load = await figure.startLoad(pair, running.ground);
  const { rampMs, seconds } = running.options;
  return measureSlice(pair, load, { rampMs: rampMs * (figure.rampFactor ?? 1), seconds });
}

function faultsOf({ errors, done }: Slice): readonly string[] {
  return done > 0 ? errors : [...errors, "nothing was done"];
}

function cycleOf(slices: ReadonlyMap<StackName, Slice>): Cycle {
  return (stack) => {
    const slice = slices.get(stack);
    if (slice === undefined) throw new RangeError(`${stack} was not measured`);
    return slice;
  };
}

function brief(name: string, slice: Slice): string {
  return `${name} ${rounded(ratePerSecond(slice))}/s ${rounded(cpuPerRequest(slice))} us`;
}
