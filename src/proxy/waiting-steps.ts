/** Steps of which one may have to find something out first, such as whether a signature is good: those behind it wait. */
import type { Exchange, StepResult } from "./exchange.ts";

/** It never rejects. */
export interface Waiting {
  readonly until: Promise<StepResult | Waiting>;
}

export type WaitingStep<E extends Exchange> = (exchange: E) => StepResult | Waiting;

/** The first result that is not "continue". */
export function runWaitingSteps<E extends Exchange>(
  steps: readonly WaitingStep<E>[],
  exchange: E,
  from = 0,
): StepResult | Waiting {
  for (let index = from; index < steps.length; index++) {
    const result = steps[index]?.(exchange) ?? "continue";
    if (isWaiting(result))
      return { until: goOn(result, () => runWaitingSteps(steps, exchange, index + 1)) };
    if (result !== "continue") return result;
  }
  return "continue";
}

export function isWaiting(result: StepResult | Waiting): result is Waiting {
  return typeof result === "object" && "until" in result;
}

/** What is found out in the end. */
export async function settled({ until }: Waiting): Promise<StepResult> {
  const result = await until;
  return isWaiting(result) ? settled(result) : result;
}

async function goOn(
  waiting: Waiting,
  next: () => StepResult | Waiting,
): Promise<StepResult | Waiting> {
  const result = await settled(waiting);
  return result === "continue" ? next() : result;
}
