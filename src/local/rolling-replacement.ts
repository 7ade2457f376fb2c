/**
 * Replaces pods without a moment in which there are fewer that serve: the new one runs beside the old one, and only once
 * it is ready does the old one leave, first from everybody's endpoints, then for good.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../policy/workload.ts";
import { throwFirstFailure } from "../runtime/first-failure.ts";
import type { PlannedPod } from "./mesh-plan.ts";
import { keyOf } from "./pod-identity.ts";
import { establishedConnections } from "./pods/established-connections.ts";
import type { Pod } from "./pods/pod.ts";
import { isProbed } from "./pods/pod-container.ts";
import type { RunningPods } from "./running-pods.ts";

const LOOK_EVERY_MS = 50;
/** A program that no probe asks counts as ready when its ports are open, or after so long. */
const OPEN_PORTS_MS = 10_000;
/** From when an old pod is nobody's endpoint any more until everybody has heard of it. */
const LEAVE_MS = 2_000;
/** For requests that are under way in it by then. */
const MAX_WORK_MS = 10_000;

export interface RollingOptions {
  readonly pods: RunningPods;
  /** Tells those who enforce who serves now. */
  readonly tell: () => Promise<void>;
  /** Called when a pod has ended for good. */
  readonly onGone: (pod: Pod) => void;
  /** Whether all pods are about to be ended: then nobody waits. */
  readonly isClosing: () => boolean;
}

export interface Replacement {
  readonly old: Pod;
  readonly planned: PlannedPod;
}

export class RollingReplacement {
  readonly #options: RollingOptions;
  /** Old ones, by their keys; those that are nobody's endpoint any more. */
  readonly #old: Map<string, "serves" | "leaves"> = new Map();
  /** Keys of new ones that do not serve yet. */
  readonly #new: Set<string> = new Set();

  constructor(options: RollingOptions) {
    this.#options = options;
  }

  /** Those that run though they are planned no more. */
  get old(): readonly Pod[] {
    return this.#options.pods.all.filter(({ key }) => this.#old.has(key));
  }

  /** Whether a pod that is ready may be somebody's endpoint. */
  mayServe(key: string): boolean {
    return this.#old.get(key) !== "leaves" && !this.#new.has(key);
  }

  /** From now on these old ones stay until they are replaced; nothing is known of any other. */
  begin(replacements: readonly Replacement[]): void {
    const known = new Map(this.#old);
    this.#old.clear();
    this.#new.clear();
    for (const { old, planned } of replacements) {
      this.#old.set(old.key, known.get(old.key) ?? "serves");
      this.#new.add(keyOf(planned.workload));
    }
  }

  /**
   * Replaces those of one Deployment, as many at a time as may run beside each other.
   *
   * @param isWanted asked while it waits; once it says no, whatever is not replaced yet stays as it is
   * @throws MeshStartError when a new one does not come up; its old one stays
   */
  async carryOut(
    replacements: readonly Replacement[],
    { surge, isWanted }: { readonly surge: number; readonly isWanted: () => boolean },
  ): Promise<void> {
    for (let at = 0; at < replacements.length && isWanted(); at += surge) {
      const batch = replacements.slice(at, at + surge);
      throwFirstFailure(await Promise.allSettled(batch.map((one) => this.#replace(one, isWanted))));
    }
  }

  async #replace({ old, planned }: Replacement, isWanted: () => boolean): Promise<void> {
    const { pods, tell, onGone, isClosing } = this.#options;
    const key = keyOf(planned.workload);
    if (pods.find(key) === undefined) await pods.start(planned);
    const pod = pods.find(key);
    if (pod === undefined || !(await becomesReady(pod, isWanted))) return;
    this.#new.delete(key);
    await tell();
    this.#old.set(old.key, "leaves");
    await tell();
    await delay(LEAVE_MS);
    await workEnds(old, isClosing);
    await pods.stop(old);
    this.#old.delete(old.key);
    onGone(old);
  }
}

/**
 * A program that no probe asks is ready once its ports are open. Resolves when the pod has been ready for as long as its owner
 * demands.
 *
 * @returns false when nobody wants to wait any more
 */
export async function becomesReady(pod: Pod, isWanted: () => boolean): Promise<boolean> {
  const asked = pod.plan.containers.some(isProbed);
  const deadline = performance.now() + OPEN_PORTS_MS;
  const least = pod.plan.minReadySeconds * 1_000;
  let since: number | undefined;
  while (isWanted()) {
    const now = performance.now();
    const isReady = pod.ready && (asked || now > deadline || (await portsAreOpen(pod)));
    since = isReady ? (since ?? now) : undefined;
    if (since !== undefined && now - since >= least) return true;
    await delay(LOOK_EVERY_MS);
  }
  return false;
}

/** A sidecar keeps idle connections to its application for a moment only: what is open longer carries something. */
async function workEnds({ plan, processes }: Pod, isClosing: () => boolean): Promise<void> {
  const ports = plan.workload.ports.map(({ application }) => application.port);
  const [processId] = processes.flatMap((one) => one.processId ?? []);
  if (processId === undefined) return;
  const deadline = performance.now() + MAX_WORK_MS;
  while ((await establishedConnections(processId, ports)) > 0) {
    if (performance.now() > deadline || isClosing()) return;
    await delay(LOOK_EVERY_MS);
  }
}

async function portsAreOpen(pod: Pod): Promise<boolean> {
  const { ports } = pod.plan.workload;
  const open = await Promise.all(ports.map(({ application }) => isOpen(pod, application)));
  return open.every((one) => one);
}

function isOpen(pod: Pod, address: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = pod.connect(address);
    const end = (outcome: boolean): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}
