/** Lines that end a benchmark: a goal decides the exit code, an aim is only told. */

export interface Target {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  readonly bound: "at most" | "at least";
  readonly goal: number;
  readonly aim?: number;
}

/** @returns whether every goal holds */
export function tellTargets(targets: readonly Target[], print: (line: string) => void): boolean {
  for (const target of targets) {
    const { name, unit, goal, aim, bound } = target;
    const sign = bound === "at most" ? "<=" : ">=";
    const figure = Number.isNaN(target.figure)
      ? "not measured"
      : `${rounded(target.figure)}${unit}`;
    print(
      `${name}: ${figure} (goal ${sign} ${goal}${unit}) ${meets(target, goal) ? "holds" : "falls short"}`,
    );
    if (aim !== undefined) {
      print(
        `${name}: ${figure} (aim ${sign} ${aim}${unit}) ${meets(target, aim) ? "reached" : "not yet"}`,
      );
    }
  }
  return targets.every((target) => meets(target, target.goal));
}

function meets({ figure, bound }: Target, value: number): boolean {
  return bound === "at most" ? figure <= value : figure >= value;
}

export function rounded(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
