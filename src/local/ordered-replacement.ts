/**
 * Replaces pods in place, so many at a time; the next ones' turn comes when those before are ready. Those of StatefulSets one
 * after the other, from the highest ordinal down. Source: Kubernetes' rolling updates.
 */

import { throwFirstFailure } from "../runtime/first-failure.ts";
import { ordinalOf, type PlannedPod } from "./mesh-plan.ts";
import { keyOf } from "./pod-identity.ts";
import { becomesReady } from "./rolling-replacement.ts";
import type { RunningPods } from "./running-pods.ts";

/** Whether its successor has to have its name, or may not run beside it, and others are to serve meanwhile. */
export function isOrdered({ workload, update }: PlannedPod): boolean {
  return workload.ownerKind === "StatefulSet" || update.kind === "in place";
}

export interface OrderedReplacement {
  readonly pods: RunningPods;
  readonly atOnce: number;
  /** Asked while it waits; once it says no, those that are left stay as they are. */
  readonly isWanted: () => boolean;
  /** Called when its predecessor has ended, and it does not run yet. */
  readonly onTurn: (planned: PlannedPod) => Promise<void>;
}

/**
 * @param planned of one owner, whose pods run as they were planned before
 * @throws MeshStartError when one does not come up: those after it stay
 */
export async function replaceInOrder(
  planned: readonly PlannedPod[],
  { pods, atOnce, isWanted, onTurn }: OrderedReplacement,
): Promise<void> {
  const replace = async (next: PlannedPod): Promise<boolean> => {
    const running = pods.find(keyOf(next.workload));
    if (running !== undefined) await pods.stop(running);
    await onTurn(next);
    await pods.start(next, running);
    const started = pods.find(keyOf(next.workload));
    return started !== undefined && (await becomesReady(started, isWanted));
  };
  const sequence = inOrder(planned, pods);
  for (let at = 0; at < sequence.length && isWanted(); at += atOnce) {
    const outcomes = await Promise.allSettled(sequence.slice(at, at + atOnce).map(replace));
    throwFirstFailure(outcomes);
    const isReady = outcomes.every((one) => one.status === "fulfilled" && one.value);
    if (!isReady) return;
  }
}

/** Of StatefulSets the highest first; of others those first that serve nobody anyway. */
function inOrder(planned: readonly PlannedPod[], pods: RunningPods): readonly PlannedPod[] {
  const rank = ({ workload: { ownerKind, namespace, name } }: PlannedPod): number =>
    ownerKind === "StatefulSet"
      ? -ordinalOf(name)
      : Number(pods.find(keyOf({ namespace, name }))?.ready === true);
  return [...planned].sort((one, other) => rank(one) - rank(other));
}
