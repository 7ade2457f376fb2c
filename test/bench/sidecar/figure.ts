/** What one comparison is: a load, the pairs that carry it, and what is asked of ours. */
import type { Target } from "../goals.ts";
import type { BenchGround } from "./bench-ground.ts";
import type { RunningLoad } from "./load/running-load.ts";
import type { Pair } from "./proxy-side.ts";
import type { Slice } from "./slice.ts";
import type { StackName } from "./stacks.ts";

/** What each pair did in one cycle; all of them, and nothing went wrong. */
export type Cycle = (stack: StackName) => Slice;

export interface Figure {
  /** By which it is chosen. */
  readonly name: string;
  readonly title: string;
  /** What `done` counts. */
  readonly unit: "request" | "call" | "MB" | "connection";
  /** Ours first; ratios in the table are to the second. */
  readonly stacks: readonly StackName[];
  /** At least so many, whatever is asked for. */
  readonly leastCycles?: number;
  /** By which what comes before is longer than elsewhere. */
  readonly rampFactor?: number;
  /** Whether the pairs do what their names say, beside what all do. @throws Error that names what they do not do */
  readonly check?: (name: StackName, pair: Pair) => Promise<void>;
  readonly startLoad: (pair: Pair, ground: BenchGround) => Promise<RunningLoad>;
  readonly goals: readonly FigureGoal[];
}

export interface FigureGoal extends Pick<Target, "name" | "bound" | "goal" | "aim"> {
  /** The pairs whose slices `ratio` looks at. */
  readonly of: readonly StackName[];
  readonly ratio: (cycle: Cycle) => number;
  /** "worse quartile": three of four cycles must be at least as good. */
  readonly judged: "worse quartile" | "median";
}

/** A measure of ours by that of a peer, in the same cycle. */
export function against(
  measure: (slice: Slice) => number,
  { ours, peer }: { readonly ours: StackName; readonly peer: StackName },
): Pick<FigureGoal, "of" | "ratio"> {
  return { of: [ours, peer], ratio: (cycle) => measure(cycle(ours)) / measure(cycle(peer)) };
}
