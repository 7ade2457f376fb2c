/** A figure's results, a line for each pair: medians, and in brackets the quartiles of ratios within a cycle. */
import { rounded } from "../goals.ts";
import { type Spread, spreadOf } from "../spread.ts";
import type { Cycle, Figure } from "./figure.ts";
import {
  calleeCpuPerRequest,
  callerCpuPerRequest,
  cpuPerRequest,
  ratePerSecond,
  type Slice,
} from "./slice.ts";
import type { StackName } from "./stacks.ts";

const PERCENT = 100;

interface Column {
  readonly title: string;
  readonly value: (slice: Slice) => number;
}

export function figureTable(
  figure: Figure,
  { stacks, cycles }: { readonly stacks: readonly StackName[]; readonly cycles: readonly Cycle[] },
): readonly string[] {
  const reference = stacks.find((name) => name === figure.stacks[1]);
  const [first] = cycles.flatMap((cycle) => stacks.map(cycle));
  const columns = columnsOf(figure, first?.latency === undefined ? "no latency" : "latency");
  const titles = ["", ...columns.map(({ title }) => title)];
  if (reference !== undefined) titles.push(`CPU by ${reference}`);
  const rows = stacks.map((name) => {
    const slices = cycles.map((cycle) => cycle(name));
    const cells = columns.map(({ value }) => rounded(spreadOf(slices.map(value)).median));
    if (reference === undefined) return [name, ...cells];
    const ratios = cycles.map((one) => cpuPerRequest(one(name)) / cpuPerRequest(one(reference)));
    return [name, ...cells, withQuartiles(spreadOf(ratios))];
  });
  return [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

/** Of the proxies' core; more makes rates and times mean little, and ratios noisy. */
const DISTURBED = 0.1;

export function tellDisturbance(
  { stacks, cycles }: { readonly stacks: readonly StackName[]; readonly cycles: readonly Cycle[] },
  print: (line: string) => void,
): void {
  const others = cycles.flatMap((cycle) => stacks.map((name) => cycle(name).others));
  const { upper } = spreadOf(others);
  if (upper > DISTURBED)
    print(
      `others took ${rounded(PERCENT * upper)} % of the proxies' core: measure on a quiet machine`,
    );
}

export function withQuartiles({ median, lower, upper }: Spread): string {
  return `${rounded(median)} [${rounded(lower)}-${rounded(upper)}]`;
}

function columnsOf({ unit }: Figure, measured: "latency" | "no latency"): readonly Column[] {
  const latency = (percentile: "p50" | "p99"): Column => ({
    title: `${percentile} ms`,
    value: (slice) => slice.latency?.[percentile] ?? Number.NaN,
  });
  return [
    { title: `${unit}s/s`, value: ratePerSecond },
    { title: `us a ${unit}`, value: cpuPerRequest },
    { title: "caller's", value: callerCpuPerRequest },
    { title: "callee's", value: calleeCpuPerRequest },
    ...(measured === "latency" ? [latency("p50"), latency("p99")] : []),
    { title: "RSS MB", value: ({ memory }) => memory },
    { title: "core %", value: busy },
    { title: "others %", value: ({ others }) => PERCENT * others },
  ];
}

/** How much of the one core both proxies took: at saturation, nearly all. */
function busy({ callerCpu, calleeCpu, seconds }: Slice): number {
  return (PERCENT * (callerCpu + calleeCpu)) / seconds;
}
