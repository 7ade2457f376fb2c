/** The pods of a mesh at this moment: what is planned, what runs, and what runs on until another has taken its place. */
import type { Workload } from "../policy/workload.ts";
import type { MeshPlan, PlannedPod } from "./mesh-plan.ts";
import { isOrdered } from "./ordered-replacement.ts";
import { keyOf, type PodUids } from "./pod-identity.ts";
import { PodTurns, placeOf } from "./pod-turns.ts";
import type { Pod } from "./pods/pod.ts";
import { startsReady } from "./pods/pod-container.ts";
import type { Replacement, RollingReplacement } from "./rolling-replacement.ts";
import type { RunningPods } from "./running-pods.ts";

export interface PlannedChange {
  readonly plan: MeshPlan;
  readonly turns: PodTurns;
  /** Keys of the pods that run now and have to be made anew. */
  readonly replaced: ReadonlySet<string>;
}

/** What a change comes to for the pods that run now. */
export interface ChangeSteps extends Pick<PlannedChange, "replaced"> {
  /** Those that another takes the place of, once it is ready. */
  readonly rolled: readonly Replacement[];
  /** Those of `replaced` that are made anew in the order of their StatefulSet. */
  readonly ordered: readonly PlannedPod[];
}

export class PresentPods {
  readonly uids: PodUids;
  readonly running: RunningPods;
  readonly rolling: RollingReplacement;
  #plan: MeshPlan;
  #turns: PodTurns = new PodTurns();
  /** Keys of pods that run as they were planned before, until those above them in their StatefulSet are replaced. */
  #awaitingTurn: Set<string> = new Set();

  constructor(parts: {
    readonly plan: MeshPlan;
    readonly uids: PodUids;
    readonly running: RunningPods;
    readonly rolling: RollingReplacement;
  }) {
    this.#plan = parts.plan;
    this.uids = parts.uids;
    this.running = parts.running;
    this.rolling = parts.rolling;
  }

  get plan(): MeshPlan {
    return this.#plan;
  }

  get turns(): PodTurns {
    return this.#turns;
  }

  /** Those that are planned, and those that stay until they are replaced. */
  get all(): readonly PlannedPod[] {
    const planned = this.#plan.pods.map((one) => {
      const key = keyOf(one.workload);
      return (this.#awaitingTurn.has(key) && this.running.find(key)?.plan) || one;
    });
    return [...planned, ...this.rolling.old.map(({ plan }) => plan)];
  }

  get workloads(): readonly Workload[] {
    return this.all.map(({ workload, containers }) => {
      const key = keyOf(workload);
      const ready = this.running.find(key)?.ready ?? containers.every(startsReady);
      return { ...workload, ready: ready && this.rolling.mayServe(key) };
    });
  }

  /** Whether it is not as it is planned now: it runs until another has taken its place, or until it is made anew. */
  isOutdated({ key, plan: { workload } }: Pod): boolean {
    const planned = this.#plan.pods.find((one) => keyOf(one.workload) === key);
    return planned?.workload.uid !== workload.uid || planned.isFormer === true;
  }

  /** From now on this is what is planned. Nothing is started or ended by it. */
  adopt({ plan, turns, replaced }: PlannedChange): ChangeSteps {
    this.#plan = plan;
    this.#turns = turns.among(new Set(plan.pods.map(({ workload }) => placeOf(workload))));
    const rolled = this.#replacements();
    this.rolling.begin(rolled);
    const ordered = plan.pods.filter(
      (planned) => isOrdered(planned) && this.#isReplaced(planned, replaced),
    );
    this.#awaitingTurn = new Set(ordered.map(({ workload }) => keyOf(workload)));
    return { replaced, rolled, ordered };
  }

  /** Its turn in its StatefulSet has come: its predecessor has ended. */
  beginTurn({ workload }: PlannedPod): void {
    this.#awaitingTurn.delete(keyOf(workload));
  }

  /** Starts those that waited until another was ready. @throws MeshStartError */
  startHeld(): Promise<void> {
    return this.running.startHeld(() => this.#plan.pods);
  }

  #isReplaced({ workload }: PlannedPod, replaced: ReadonlySet<string>): boolean {
    const key = keyOf(workload);
    return replaced.has(key) && this.running.find(key) !== undefined;
  }

  /** Pods that run, and what is planned in their places under another name. */
  #replacements(): readonly Replacement[] {
    const planned = new Map(this.#plan.pods.map((one) => [placeOf(one.workload), one]));
    return this.running.all.flatMap((old) => {
      const next = planned.get(placeOf(old.plan.workload));
      return next === undefined || keyOf(next.workload) === old.key ? [] : { old, planned: next };
    });
  }
}
