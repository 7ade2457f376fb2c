/**
 * Replaces pods of StatefulSets in place, one after the other, from the highest ordinal down; the next one's turn comes
 * when the one before is ready. Source: Kubernetes' rolling updates of StatefulSets.
 */
import type { PlannedPod } from "./mesh-plan.ts";
import { keyOf } from "./pod-identity.ts";
import { becomesReady } from "./rolling-replacement.ts";
import type { RunningPods } from "./running-pods.ts";

/** Whether its successor has to have its name, and so cannot run beside it. */
export function isOrdered({ workload }: PlannedPod): boolean {
  return workload.ownerKind === "StatefulSet";
}

export interface OrderedReplacement {
  readonly pods: RunningPods;
  /** Asked while it waits; once it says no, those that are left stay as they are. */
  readonly isWanted: () => boolean;
  /** Called when its predecessor has ended, and it does not run yet. */
  readonly onTurn: (planned: PlannedPod) => Promise<void>;
}

/**
 * @param planned of one StatefulSet, whose pods run as they were planned before
 * @throws MeshStartError when one does not come up: those below it stay
 */
export async function replaceInOrder(
  planned: readonly PlannedPod[],
  { pods, isWanted, onTurn }: OrderedReplacement,
): Promise<void> {
  const highestFirst = [...planned].sort((one, other) => ordinalOf(other) - ordinalOf(one));
  for (const next of highestFirst) {
    if (!isWanted()) return;
    const running = pods.find(keyOf(next.workload));
    if (running !== undefined) await pods.stop(running);
    await onTurn(next);
    await pods.start(next, running);
    const started = pods.find(keyOf(next.workload));
    if (started === undefined || !(await becomesReady(started, isWanted))) return;
  }
}

function ordinalOf({ workload: { name } }: PlannedPod): number {
  return Number(name.slice(name.lastIndexOf("-") + 1));
}
