/** What a change of the resources comes to: found out, and refused where it cannot be done, before anything is touched. */
import type { Resource } from "../api/resource.ts";
import { isJoined } from "./joining/joined-resources.ts";
import type { MeshBeginning } from "./mesh-beginning.ts";
import { type MeshPlan, type PlannedPod, planMesh } from "./mesh-plan.ts";
import { keyOf, podFingerprint } from "./pod-identity.ts";
import { type PodTurns, placeOf } from "./pod-turns.ts";
import type { PlannedChange, PresentPods } from "./present-pods.ts";

export interface ChangePlannerOptions {
  readonly placement: MeshBeginning["placement"];
  readonly present: PresentPods;
  /** @throws MeshPlanError when one of these pods could not be started among these resources */
  readonly checkLaunches: (
    planned: readonly PlannedPod[],
    resources: readonly Resource[],
  ) => Promise<void>;
}

export class ChangePlanner {
  readonly #options: ChangePlannerOptions;

  constructor(options: ChangePlannerOptions) {
    this.#options = options;
  }

  /**
   * Whether these could be what the mesh consists of, as far as it can be known before.
   *
   * @throws MeshPlanError, and whatever else `planMesh` throws
   */
  async check(resources: readonly Resource[]): Promise<void> {
    const { placement, present, checkLaunches } = this.#options;
    const ports = placement.ports.trial(); // what is refused, or only tried, takes nobody's port away
    const plan = await planWith(present.turns, resources, { ...placement, ports });
    await checkLaunches(plan.pods, resources);
  }

  /** @throws MeshPlanError, and whatever else `planMesh` throws, when it cannot be done */
  async plan(resources: readonly Resource[]): Promise<PlannedChange> {
    const { placement, present, checkLaunches } = this.#options;
    const first = await planWith(present.turns, resources, placement);
    await checkLaunches(first.pods, resources);
    const held = new Set(
      first.pods.filter((planned) => this.#isHeld(planned)).map(({ workload }) => keyOf(workload)),
    );
    const changed = first.pods.filter(
      (planned) => this.#isChanged(planned) && !held.has(keyOf(planned.workload)),
    );
    const rolled = changed.filter((planned) => this.#mayRoll(planned, first));
    const replaced = changed.filter((planned) => !rolled.includes(planned));
    for (const { workload } of replaced) present.uids.renew(keyOf(workload));
    const turns = present.turns.flipped(rolled.map(({ workload }) => placeOf(workload)));
    const wanted = changed.length > 0 ? await planWith(turns, resources, placement) : first;
    const plan = { ...wanted, pods: wanted.pods.map((planned) => this.#asBefore(planned)) };
    return { plan, turns, replaced: new Set(replaced.map(({ workload }) => keyOf(workload))) };
  }

  /** Whether a running pod would be made otherwise now. */
  #isChanged(planned: PlannedPod): boolean {
    const running = this.#options.present.running.find(keyOf(planned.workload));
    return running !== undefined && podFingerprint(running.plan) !== podFingerprint(planned);
  }

  /** Whether the pod that runs stays as it is, and nobody deleted it. */
  #isHeld({ workload, update }: PlannedPod): boolean {
    const running = this.#options.present.running.find(keyOf(workload));
    return update.kind === "held" && running?.plan.workload.uid === workload.uid;
  }

  /** As the pod that runs was made, where it stays so, or is made so again. */
  #asBefore(planned: PlannedPod): PlannedPod {
    const { workload, update } = planned;
    const running = this.#options.present.running.find(keyOf(workload));
    if (running === undefined || update.kind !== "held") return planned;
    const { uid } = workload;
    const isDeleted = running.plan.workload.uid !== uid;
    if (isDeleted && update.made === "as planned") return planned;
    const former = { ...running.plan, workload: { ...running.plan.workload, uid }, update };
    if (podFingerprint(former) === podFingerprint(planned)) return planned;
    return { ...former, isFormer: true };
  }

  /**
   * Whether the pod that runs can stay until another is ready in its place. Not where it has ports that there are once, nor
   * where it is to go itself, or serves nobody anyway.
   */
  #mayRoll({ workload, source, update }: PlannedPod, { settled }: MeshPlan): boolean {
    const { present, placement } = this.#options;
    const running = present.running.find(keyOf(workload));
    const title = `Deployment ${workload.namespace}/${workload.owner}`;
    return (
      running?.ready === true &&
      running.plan.workload.uid === workload.uid &&
      present.rolling.mayServe(running.key) &&
      update.kind === "beside" &&
      !isJoined(source) &&
      !(workload.gateway === true && placement.addresses === undefined) &&
      !settled.some((owner) => owner.title === title)
    );
  }
}

function planWith(
  turns: PodTurns,
  resources: readonly Resource[],
  placement: MeshBeginning["placement"],
): Promise<MeshPlan> {
  return planMesh(resources, { ...placement, turn: (place) => turns.of(place) });
}
