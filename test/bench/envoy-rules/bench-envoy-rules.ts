/**
 * `npm run bench -- envoy-rules`: what 10,000 rules cost an Envoy, in the form that it is served and in the form that istiod
 * writes, beside no RBAC at all; whether both say what the engine says; and how long a change takes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { arch, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import { rounded, type Target, tellTargets } from "../goals.ts";
import { moveToLoadCore } from "../sidecar/bench-ground.ts";
import { residentMemory } from "../sidecar/measured-process.ts";
import { type Origin, startOrigin } from "../sidecar/origin.ts";
import { envoyProgram, findProgram, type Program } from "../sidecar/programs.ts";
import { calleeCpuPerRequest, measureSlice, ratePerSecond, type Slice } from "../sidecar/slice.ts";
import { spreadOf } from "../spread.ts";
import { applyRules } from "./applied-rules.ts";
import {
  type RuleScenario,
  ruleScenario,
  SCENARIO_NAMES,
  SCENARIO_WORDS,
} from "./rule-scenarios.ts";
import { startRuledLoad, wrongVerdicts } from "./ruled-calls.ts";
import { FORMS, type Form, type RuledEnvoys, startRuledEnvoys } from "./ruled-envoys.ts";

const RAMP_MS = 700;
const GOAL = 2;
const AIM = 1.3;
/** Void cycles that are forgiven. */
const PATIENCE = 3;

interface Options {
  readonly rules: number;
  readonly cycles: number;
  readonly seconds: number;
  readonly only: readonly string[];
}

interface Ground {
  readonly folder: string;
  readonly wrk: Program;
  readonly origin: Origin;
}

type Cycle = ReadonlyMap<Form, Slice>;

/** @param args `--rules N`, `--cycles N`, `--seconds S`, `--only last,mix,owner,apply` */
export async function benchEnvoyRules(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const print = (line: string): void => console.log(line);
  moveToLoadCore();
  print(`${cpus().length} x ${cpus()[0]?.model ?? arch()}, load ${loadavg()[0]?.toFixed(1)}`);
  const folder = mkdtempSync(join(tmpdir(), "hauberk-rules-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const envoy = envoyProgram();
  const origin = await startOrigin(folder, findProgram("nginx"));
  const mesh = createThrowawayAuthority();
  const application = origin.ports.http ?? 0;
  const targets: Target[] = [];
  try {
    for (const name of SCENARIO_NAMES) {
      if (!isWanted(options, name)) continue;
      const scenario = ruleScenario(name, options.rules);
      const envoys = await startRuledEnvoys(scenario, { folder, envoy, mesh, application });
      const ground = { folder, origin, wrk: findProgram("wrk") };
      try {
        targets.push(...(await measureScenario(scenario, envoys, { ground, options, print })));
      } finally {
        await envoys.stop();
      }
    }
    if (isWanted(options, "apply")) {
      const { changesMs, memory } = await applyRules(options.rules, { mesh, application });
      const changes = changesMs.map((ms) => (ms / 1000).toFixed(2)).join(", ");
      print(`\na change among ${options.rules} rules, by discovery: obeyed after ${changes} s`);
      print(
        `  Envoy's memory: ${rounded(memory.before)} MB with one rule, ${rounded(memory.now)} MB with all, at most ${rounded(memory.peak)} MB`,
      );
    }
  } finally {
    await origin.stop();
  }
  return tellTargets(targets, print) ? 0 : 1;
}

function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rules: { type: "string", default: "10000" },
      cycles: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      only: { type: "string", default: "" },
    },
  });
  return {
    rules: Number(values.rules),
    cycles: Number(values.cycles),
    seconds: Number(values.seconds),
    only: values.only.split(",").filter((name) => name !== ""),
  };
}

function isWanted({ only }: Options, name: string): boolean {
  return only.length === 0 || only.includes(name);
}

interface Measuring {
  readonly ground: Ground;
  readonly options: Options;
  readonly print: (line: string) => void;
}

async function measureScenario(
  scenario: RuleScenario,
  envoys: RuledEnvoys,
  { ground, options, print }: Measuring,
): Promise<readonly Target[]> {
  const words = SCENARIO_WORDS[scenario.name];
  const { allowed, refused } = scenario;
  print(
    `\n${options.rules} rules, ${words}: ${allowed.length} calls allowed, ${refused.length} not`,
  );
  const targets: Target[] = [];
  for (const form of ["ours", "istiod's"] as const) {
    const { callers = 0 } = envoys.callees.get(form) ?? {};
    const wrong = await wrongVerdicts(scenario, callers);
    for (const line of wrong.slice(0, 5)) print(`  ${form}: ${line}`);
    const figure = wrong.length;
    targets.push({
      name: `${words}: other verdicts than the engine's, ${form}`,
      figure,
      unit: "",
      bound: "at most",
      goal: 0,
    });
  }
  const cycles = await runCycles(scenario, envoys, { ground, options, print });
  tellCosts(envoys, cycles, print);
  const { upper } = ratiosOf(cycles, "ours");
  targets.unshift({
    name: `${words}: CPU of a request by that without RBAC`,
    figure: upper,
    unit: "",
    bound: "at most",
    goal: GOAL,
    aim: AIM,
  });
  return targets;
}

async function runCycles(
  scenario: RuleScenario,
  envoys: RuledEnvoys,
  { ground, options, print }: Measuring,
): Promise<readonly Cycle[]> {
  const good: Cycle[] = [];
  for (let attempt = 0; good.length < options.cycles; attempt++) {
    if (attempt - good.length > PATIENCE) throw new Error("too many cycles went wrong");
    const slices = new Map<Form, Slice>();
    for (const form of FORMS) {
      const callee = envoys.callees.get(form);
      if (callee === undefined) throw new RangeError(`there is no Envoy of ${form}`);
      const load = await startRuledLoad({ ...ground, scenario, port: callee.callers });
      const pair = {
        caller: { process: envoys.callers, ports: {} },
        callee: { process: callee.process, ports: {} },
        stop: envoys.stop,
      };
      slices.set(form, await measureSlice(pair, load, { ...options, rampMs: RAMP_MS }));
    }
    const wrong = [...slices].filter(([, { errors, done }]) => errors.length > 0 || done === 0);
    for (const [form, { errors, done }] of wrong)
      print(`  void: ${form}: ${errors.join("; ")} (${done} done)`);
    if (wrong.length === 0) good.push(slices);
  }
  return good;
}

function sliceOf(cycle: Cycle, form: Form): Slice {
  const slice = cycle.get(form);
  if (slice === undefined) throw new RangeError(`${form} was not measured`);
  return slice;
}

/** Of the callee's processor time for a request, within each cycle. */
function ratiosOf(cycles: readonly Cycle[], form: Form): ReturnType<typeof spreadOf> {
  return spreadOf(
    cycles.map(
      (cycle) =>
        calleeCpuPerRequest(sliceOf(cycle, form)) / calleeCpuPerRequest(sliceOf(cycle, "no RBAC")),
    ),
  );
}

function tellCosts(
  { callees }: RuledEnvoys,
  cycles: readonly Cycle[],
  print: (line: string) => void,
): void {
  const titles = ["", "us of CPU", "by no RBAC", "requests/s", "MB", "config MB", "start s"];
  const rows = [...callees].map(([form, { process, startMs, bytes }]) => {
    const slices = cycles.map((cycle) => sliceOf(cycle, form));
    const { median, lower, upper } = ratiosOf(cycles, form);
    return [
      form,
      rounded(spreadOf(slices.map(calleeCpuPerRequest)).median),
      `${rounded(median)} [${rounded(lower)}-${rounded(upper)}]`,
      rounded(spreadOf(slices.map(ratePerSecond)).median),
      rounded(residentMemory(process)),
      rounded(bytes / 1e6),
      rounded(startMs / 1000),
    ];
  });
  for (const cells of [titles, titles.map(() => "---"), ...rows]) print(`| ${cells.join(" | ")} |`);
}
