/** A planned change of pods, carried out: some end, some begin, and others are replaced in the way that their kind demands. */
import type { PlannedPod } from "./mesh-plan.ts";
import { isOrdered, replaceInOrder } from "./ordered-replacement.ts";
import { keyOf } from "./pod-identity.ts";
import type { ChangeSteps, PresentPods } from "./present-pods.ts";

export interface CarryOutOptions {
  readonly present: PresentPods;
  /** Settles once everybody who enforces something knows what is planned now. */
  readonly told: Promise<void>;
  /** Tells them what runs by now. */
  readonly tell: () => Promise<void>;
  /** Asked while something waits; once it says no, whatever is not replaced yet stays as it is. */
  readonly isWanted: () => boolean;
}

/**
 * @returns what became of each piece of it: one that failed keeps nothing else from being done
 * @throws MeshStartError when a pod does not come up that waited for another
 */
export async function carryOutChange(
  steps: ChangeSteps,
  { present, told, tell, isWanted }: CarryOutOptions,
): Promise<readonly PromiseSettledResult<void>[]> {
  const ends = await endOthers(steps, present);
  const starts = await startThese(steps, { present, told });
  await present.startHeld(); // not before: those that they wait for must be the new ones
  await told; // a new one has to be known before it comes
  const replacements = await Promise.allSettled([
    ...byOwner(steps.rolled, ({ planned }) => planned).map((some) =>
      present.rolling.carryOut(some, { surge: atOnceOf(some[0]?.planned), isWanted }),
    ),
    ...byOwner(steps.ordered, (planned) => planned).map((some) =>
      replaceInOrder(some, {
        pods: present.running,
        atOnce: atOnceOf(some[0]),
        isWanted,
        onTurn: (planned) => {
          present.beginTurn(planned);
          return tell();
        },
      }),
    ),
  ]);
  return [...ends, ...starts, ...replacements];
}

/** Pods that are planned no more, but for those that stay until another is ready in their place. */
async function endOthers(
  { rolled }: ChangeSteps,
  { plan, running, uids }: PresentPods,
): Promise<readonly PromiseSettledResult<void>[]> {
  const wanted = new Set(plan.pods.map(({ workload }) => keyOf(workload)));
  const staying = new Set(rolled.map(({ old }) => old.key));
  const gone = running.all.filter(({ key }) => !wanted.has(key) && !staying.has(key));
  const ends = await Promise.allSettled(gone.map((pod) => running.stop(pod)));
  for (const pod of gone) uids.forget(pod.key);
  return ends;
}

/** Pods that nothing stands in the way of, and those that are made anew at once. */
async function startThese(
  { replaced, rolled }: ChangeSteps,
  {
    present: { plan, running },
    told,
  }: { readonly present: PresentPods; readonly told: Promise<void> },
): Promise<readonly PromiseSettledResult<void>[]> {
  const later = new Set(rolled.map(({ planned }) => keyOf(planned.workload)));
  const ends = endTogether(
    plan.pods.filter(({ workload }) => replaced.has(keyOf(workload))),
    running,
  );
  const starts = plan.pods.map(async (planned) => {
    const key = keyOf(planned.workload);
    const predecessor = running.find(key);
    if (predecessor === undefined && later.has(key)) return;
    if (predecessor !== undefined && !replaced.has(key)) return predecessor.refreshFiles();
    if (predecessor !== undefined && isOrdered(planned)) return;
    const ended = ends.get(ownerOf(planned));
    if (ended !== undefined && planned.update.kind === "all at once") await ended;
    else if (predecessor !== undefined) await running.stop(predecessor);
    await told; // it takes over an address: everybody's rules must know whose it is by then
    if (planned.startsAfter === undefined) await running.start(planned, predecessor);
  });
  return Promise.allSettled(starts);
}

/**
 * Ends those that no new one of their owner may run beside.
 *
 * @returns by owner, what settles once all of it have ended
 */
function endTogether(
  replaced: readonly PlannedPod[],
  running: PresentPods["running"],
): ReadonlyMap<string, Promise<void>> {
  const together = replaced.filter(({ update }) => update.kind === "all at once");
  return new Map(
    byOwner(together, (planned) => planned).flatMap((some) => {
      const pods = some.flatMap(({ workload }) => running.find(keyOf(workload)) ?? []);
      const ended = Promise.all(pods.map((pod) => running.stop(pod))).then(() => undefined);
      return some.slice(0, 1).map((one) => [ownerOf(one), ended] as const);
    }),
  );
}

/** Of one owner, how many are replaced at a time. */
function atOnceOf(planned: PlannedPod | undefined): number {
  if (planned?.update.kind === "beside") return planned.update.surge;
  return planned?.update.kind === "in place" ? planned.update.atOnce : 1;
}

function ownerOf({ workload: { namespace, owner, ownerKind } }: PlannedPod): string {
  return `${ownerKind} ${namespace}/${owner}`;
}

function byOwner<T>(
  replacements: readonly T[],
  plannedOf: (one: T) => PlannedPod,
): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const one of replacements) {
    const key = ownerOf(plannedOf(one));
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}
