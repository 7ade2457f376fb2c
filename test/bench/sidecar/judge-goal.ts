/** What a goal's figure is, of all cycles: one good cycle proves nothing, and one bad one neither. */
import type { Target } from "../goals.ts";
import { spreadOf } from "../spread.ts";
import type { Cycle, FigureGoal } from "./figure.ts";
import { withQuartiles } from "./figure-table.ts";

export function judgeGoal(
  goal: FigureGoal,
  { cycles, print }: { readonly cycles: readonly Cycle[]; readonly print: (line: string) => void },
): Target {
  const { name, bound, judged, ratio } = goal;
  const spread = spreadOf(cycles.map(ratio));
  print(`${name}: ${withQuartiles(spread)}`);
  const worse = bound === "at most" ? spread.upper : spread.lower;
  return { ...goal, unit: "", figure: judged === "median" ? spread.median : worse };
}
