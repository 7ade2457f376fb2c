/** `npm run bench -- policy`: decisions over 10, 1,000 and 10,000 rules, beside OPA, casbin and Cedar; answers compared. */
import { loadavg } from "node:os";
import { rounded, type Target, tellTargets } from "../goals.ts";
import { type Spread, spreadOf } from "../spread.ts";
import { casbinEngine } from "./casbin-engine.ts";
import { cedarEngine } from "./cedar-engine.ts";
import type { Engine } from "./engine.ts";
import { hauberkEngine, loadDecisions } from "./hauberk-engine.ts";
import { Mix, type MixedRequest, type MixedRule } from "./mixed-rules.ts";
import { opaEngine } from "./opa-engine.ts";

const SIZES = [10, 1000, 10_000] as const;
const SEED = 20_261_122;
const ENGINES: readonly Engine[] = [hauberkEngine, opaEngine, casbinEngine, cedarEngine];
const REQUESTS = 2000;
/** Of every round, milliseconds; slow engines decide at least once. */
const ROUND_MS = 60;
const ROUNDS = 15;
const WARM_UP_MS = 200;
/** What a slow engine may take for the comparison of answers. */
const COMPARISON_MS = 4000;
const MICROSECONDS = 1000;

interface Measured {
  /** Microseconds a decision, of rounds. */
  readonly decision: Spread;
  /** Milliseconds. */
  readonly compile: number;
  readonly answers: readonly boolean[];
}

type Results = ReadonlyMap<string, Measured>;

/** @returns the exit code: 1 when a goal is missed or two engines disagree */
export async function benchPolicy(): Promise<number> {
  console.log(
    `seed ${SEED}, load average ${loadavg().map(rounded).join(" ")}, Node ${process.version}`,
  );
  const bySize = new Map<number, Results>();
  let disagreements = 0;
  for (const size of SIZES) {
    const mix = new Mix(SEED);
    const rules = mix.rules(size);
    const requests = mix.requests(REQUESTS, rules);
    const results = new Map<string, Measured>();
    for (const engine of ENGINES)
      results.set(engine.name, await measure(engine, { rules, requests }));
    bySize.set(size, results);
    disagreements += tell(size, results);
    tellExplanations(rules, requests);
  }
  const hold = tellTargets(targets(bySize), console.log);
  if (disagreements > 0) console.log(`answers differ ${disagreements} times`);
  return hold && disagreements === 0 ? 0 : 1;
}

async function measure(
  engine: Engine,
  {
    rules,
    requests,
  }: { readonly rules: readonly MixedRule[]; readonly requests: readonly MixedRequest[] },
): Promise<Measured> {
  const started = performance.now();
  const decide = await engine.load(rules);
  const compile = performance.now() - started;
  const decisions = requests.map(decide);
  const answers = answersOf(decisions);
  runFor(WARM_UP_MS, decisions);
  const rounds = Array.from({ length: ROUNDS }, () => runFor(ROUND_MS, decisions));
  return { decision: spreadOf(rounds), compile, answers };
}

function answersOf(decisions: readonly (() => boolean)[]): readonly boolean[] {
  const answers: boolean[] = [];
  const end = performance.now() + COMPARISON_MS;
  for (const decision of decisions) {
    answers.push(decision());
    if (performance.now() > end) break;
  }
  return answers;
}

let place = 0;

/** Goes on where the round before ended, so that slow engines see more than one request. @returns microseconds a decision */
function runFor(milliseconds: number, decisions: readonly (() => boolean)[]): number {
  const started = performance.now();
  let made = 0;
  let now = started;
  while (now - started < milliseconds) {
    const batch = made < 200 ? 1 : 100;
    for (let each = 0; each < batch; each++) {
      place = (place + 1) % decisions.length;
      decisions[place]?.();
    }
    made += batch;
    now = performance.now();
  }
  return ((now - started) * MICROSECONDS) / made;
}

/** @returns in how many answers another engine differs from ours */
function tell(size: number, results: Results): number {
  const ours = results.get(hauberkEngine.name)?.answers ?? [];
  const allowed = ours.filter(Boolean).length;
  console.log(
    `\n${size} rules, ${ours.length} requests, ${rounded((100 * allowed) / ours.length)} % allowed`,
  );
  let differences = 0;
  for (const [name, { decision, compile, answers }] of results) {
    const both = answers.slice(0, ours.length);
    const differing = both.filter((answer, index) => answer !== ours[index]).length;
    differences += differing;
    const spread = `[${rounded(decision.lower)}-${rounded(decision.upper)}]`;
    console.log(
      `  ${name.padEnd(18)} ${rounded(decision.median).padStart(8)} us ${spread.padEnd(18)} ready in ${rounded(compile).padStart(6)} ms   ${both.length} answers compared, ${differing} differ`,
    );
  }
  return differences;
}

/** What the log costs beside the decision: the nearest rules are looked for when somebody reads them. No peer has that. */
function tellExplanations(rules: readonly MixedRule[], requests: readonly MixedRequest[]): void {
  const decide = loadDecisions(rules);
  const denied = requests.map(decide).filter((decided) => decided().verdict === "deny");
  const told = denied.map((decided) => () => JSON.stringify(decided()).length > 0);
  runFor(WARM_UP_MS, told);
  const { median } = spreadOf(Array.from({ length: ROUNDS }, () => runFor(ROUND_MS, told)));
  console.log(`  a denial of hauberk with its nearest rules, as JSON: ${rounded(median)} us`);
}

function targets(bySize: ReadonlyMap<number, Results>): readonly Target[] {
  const of = (size: number, { name }: Engine): Measured => {
    const measured = bySize.get(size)?.get(name);
    if (measured === undefined) throw new RangeError(`${name} was not measured at ${size} rules`);
    return measured;
  };
  const time = (size: number, engine: Engine): number => of(size, engine).decision.median;
  const ratio = (engine: Engine): number => time(10_000, engine) / time(10_000, hauberkEngine);
  const most = { bound: "at most" } as const;
  const least = { bound: "at least", unit: "x" } as const;
  return [
    {
      ...most,
      name: "decision at 10,000 rules",
      figure: time(10_000, hauberkEngine),
      unit: " us",
      goal: 3,
      aim: 1,
    },
    {
      ...most,
      name: "growth from 10 to 10,000 rules",
      figure: time(10_000, hauberkEngine) / time(10, hauberkEngine),
      unit: "x",
      goal: 15,
      aim: 8,
    },
    {
      ...least,
      name: "faster than indexed OPA-WebAssembly",
      figure: ratio(opaEngine),
      goal: 30,
      aim: 80,
    },
    { ...least, name: "faster than casbin", figure: ratio(casbinEngine), goal: 5000 },
    { ...least, name: "faster than Cedar", figure: ratio(cedarEngine), goal: 5000 },
    {
      ...most,
      name: "compile of 10,000 rules",
      figure: of(10_000, hauberkEngine).compile,
      unit: " ms",
      goal: 1500,
      aim: 500,
    },
  ];
}
