/** Whether rollouts come on. Source: `spec.progressDeadlineSeconds` of apps/v1 DeploymentSpec. */
import type { Clock } from "../../../runtime/clock.ts";
import { valueAt } from "../../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { isComplete, type OwnerProgress } from "./owner-status.ts";

/** Where a Deployment does not say. */
const DEADLINE_SECONDS = 600;

interface Step {
  /** How far it has come. */
  readonly at: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export class RolloutProgress {
  readonly #clock: Clock;
  /** By uid: of each rollout that is under way. */
  readonly #steps: Map<string, Step> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param isBusy whether the mesh still works on it: what it gave up does not come on any more */
  isStuck(owner: KubernetesObject, progress: OwnerProgress, isBusy: boolean): boolean {
    const { uid = "", generation = 1 } = owner.metadata;
    if (owner.kind !== "Deployment" || isComplete(owner, progress)) {
      this.#steps.delete(uid);
      return false;
    }
    const { pods, observedGeneration } = progress;
    if (observedGeneration < generation) return false;
    if (!isBusy && pods.some(({ outdated }) => outdated === true)) return true;
    const now = this.#clock.now().getTime();
    const at = JSON.stringify([generation, pods.map(({ ready, outdated }) => [ready, outdated])]);
    const known = this.#steps.get(uid);
    if (known?.at !== at) this.#steps.set(uid, { at, since: now });
    const limit = valueAt(owner, ["spec", "progressDeadlineSeconds"]);
    const deadlineMs = (typeof limit === "number" ? limit : DEADLINE_SECONDS) * 1_000;
    return known?.at === at && now - known.since > deadlineMs;
  }
}
