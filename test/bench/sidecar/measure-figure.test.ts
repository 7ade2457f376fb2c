import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchGround } from "./bench-ground.ts";
import { against, type Cycle, type Figure, type FigureGoal } from "./figure.ts";
import { judgeGoal } from "./judge-goal.ts";
import type { LoadResult } from "./load/load-messages.ts";
import { runCycles } from "./measure-figure.ts";
import type { Pair, SidecarProxy } from "./proxy-side.ts";
import { cpuPerRequest, ratePerSecond, type Slice } from "./slice.ts";

const PAIR = { ours: "hauberk", peer: "envoy-h1" } as const;
const nothing = (): Promise<void> => Promise.resolve();

/** This very process stands for every proxy. */
const proxy: SidecarProxy = { process: { processId: process.pid, stop: nothing }, ports: {} };
const pair: Pair = { caller: proxy, callee: proxy, stop: nothing };

/** A figure whose slices end so, one after the other, and then well. */
function figureEnding(results: LoadResult[]): Figure {
  return {
    name: "made up",
    title: "made up",
    unit: "request",
    stacks: ["hauberk", "envoy-h1"],
    startLoad: () => {
      const result = results.shift() ?? { done: 10, errors: [] };
      return Promise.resolve({ begin: nothing, end: () => Promise.resolve(result) });
    },
    goals: [],
  };
}

async function run(results: LoadResult[]): Promise<{ good: number; lines: readonly string[] }> {
  const lines: string[] = [];
  const cycles = await runCycles(figureEnding(results), {
    ground: {} as BenchGround, // nobody asks for it
    pairs: new Map([
      ["hauberk", pair],
      ["envoy-h1", pair],
    ]),
    options: {
      cycles: 2,
      rampMs: 0,
      seconds: 0.01,
      stacks: ["hauberk", "envoy-h1"],
      print: (line) => lines.push(line),
    },
  });
  return { good: cycles.length, lines };
}

test("a cycle in which one pair erred, or did nothing, does not count for any, and is done again", async () => {
  const good = { done: 10, errors: [] };
  const { good: counted, lines } = await run([
    good,
    { done: 10, errors: ["a body that is another"] },
    good,
    { done: 0, errors: [] },
  ]);
  assert.equal(counted, 2);
  const told = lines.filter((line) => line.includes("void"));
  assert.deepEqual(told, [
    "  void: envoy-h1: a body that is another",
    "  void: envoy-h1: nothing was done",
  ]);
});

test("what always errs is given up, with fewer good cycles than were wanted", async () => {
  const wrong = Array.from({ length: 20 }, () => ({ done: 10, errors: ["refused"] }));
  assert.equal((await run(wrong)).good, 0);
});

function cycleOf(ours: Partial<Slice>): Cycle {
  const slice = { done: 100, errors: [], seconds: 1, callerCpu: 1, calleeCpu: 1 };
  const whole = { ...slice, memory: 1, others: 0 };
  return (stack) => (stack === PAIR.ours ? { ...whole, ...ours } : whole);
}

test("a goal is judged by the worse quartile, whichever side is worse, or by the median", () => {
  const cycles = [1, 2, 3, 4, 5].map((times) => cycleOf({ callerCpu: times, calleeCpu: times }));
  const faster = [1, 2, 3, 4, 5].map((times) => cycleOf({ done: 100 * times }));
  const goal = { name: "a goal", of: [], goal: 3 } as const;
  const figure = (how: Pick<FigureGoal, "bound" | "judged" | "ratio">, all: readonly Cycle[]) =>
    judgeGoal({ ...goal, ...how }, { cycles: all, print: () => undefined }).figure;
  const { ratio: cpu } = against(cpuPerRequest, PAIR);
  const { ratio: rate } = against(ratePerSecond, PAIR);
  assert.equal(figure({ bound: "at most", judged: "worse quartile", ratio: cpu }, cycles), 4);
  assert.equal(figure({ bound: "at least", judged: "worse quartile", ratio: rate }, faster), 2);
  assert.equal(figure({ bound: "at most", judged: "median", ratio: cpu }, cycles), 3);
});
