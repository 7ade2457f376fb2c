/** The pods that run now, by what is planned: who may start yet, and who is there. */
import type { MeshEvent } from "./mesh-event.ts";
import type { PlannedPod } from "./mesh-plan.ts";
import { keyOf } from "./pod-identity.ts";
import type { Pod } from "./pods/pod.ts";

export interface RunningPodsOptions {
  /** @param predecessor whose place it takes */
  readonly make: (planned: PlannedPod, predecessor?: Pod) => Pod;
  readonly report: (event: MeshEvent) => void;
}

export class RunningPods {
  readonly #options: RunningPodsOptions;
  readonly #pods: Map<string, Pod> = new Map();

  constructor(options: RunningPodsOptions) {
    this.#options = options;
  }

  get all(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  /** @param key `namespace/name` */
  find(key: string): Pod | undefined {
    return this.#pods.get(key);
  }

  /** @throws MeshStartError when it does not come up; it is stopped then */
  async start(planned: PlannedPod, predecessor?: Pod): Promise<void> {
    const pod = this.#options.make(planned, predecessor);
    this.#pods.set(pod.key, pod);
    try {
      await pod.start();
    } catch (error) {
      await pod.stop();
      this.#forget(pod);
      throw error;
    }
    this.#options.report({ type: "pod-started", workload: planned.workload });
  }

  async stop(pod: Pod): Promise<void> {
    await pod.stop();
    this.#forget(pod);
    this.#options.report({ type: "pod-stopped", workload: pod.plan.workload });
  }

  /** A pod of an ordered StatefulSet waits until the one before it is ready. */
  mayStart({ startsAfter }: PlannedPod): boolean {
    return startsAfter === undefined || this.#pods.get(startsAfter)?.ready === true;
  }

  /**
   * Starts those that waited for another, and those that waited for them.
   *
   * @param planned asked anew after each round
   */
  async startHeld(planned: () => readonly PlannedPod[]): Promise<void> {
    for (;;) {
      const held = planned().filter((one) => this.#isHeld(one) && this.mayStart(one));
      if (held.length === 0) return;
      await Promise.all(held.map((one) => this.start(one)));
    }
  }

  #isHeld({ startsAfter, workload }: PlannedPod): boolean {
    return startsAfter !== undefined && !this.#pods.has(keyOf(workload));
  }

  /** Its place may be another's by now. */
  #forget(pod: Pod): void {
    if (this.#pods.get(pod.key) === pod) this.#pods.delete(pod.key);
  }
}
