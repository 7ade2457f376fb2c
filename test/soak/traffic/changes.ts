/** What happens to the mesh while requests flow, one change a second, and when each took place. */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketAddress } from "../../../src/policy/workload.ts";
import type { GuardedPaths, PodPart, SoakMesh } from "./soak-mesh.ts";

const STEP_MS = 1_000;
const LOOK_MS = 50;
const PATIENCE_MS = 30_000;

/** Milliseconds since 1970. */
export interface Kill extends PodPart {
  readonly killedAt: number;
  /** When it served again; undefined while it does not. */
  backAt: number | undefined;
}

export interface GuardChange {
  readonly paths: GuardedPaths;
  readonly at: number;
}

type Step = (changes: Changes) => Promise<void> | void;

/** Each part is killed so rarely that it has run long enough to be started again at once. */
const STEPS: readonly Step[] = [
  (changes) => changes.mesh.changeRules(),
  (changes) => changes.kill({ pod: "shop-0", part: "server" }),
  (changes) => changes.guard("denied"),
  (changes) => changes.mesh.scale(2),
  (changes) => changes.kill({ pod: "stock-0", part: "server" }),
  (changes) => changes.mesh.changeRules(),
  (changes) => changes.guard("open"),
  (changes) => changes.kill({ pod: "stock-1", part: "sidecar" }),
  (changes) => changes.mesh.scale(3),
  (changes) => changes.mesh.changeRules(),
  (changes) => changes.kill({ pod: "shop-1", part: "server" }),
  (changes) => changes.guard("denied"),
  (changes) => changes.mesh.changeRules(),
  (changes) => changes.mesh.changeRules(),
  (changes) => changes.guard("open"),
  (changes) => changes.mesh.changeRules(),
];

export class Changes {
  readonly mesh: SoakMesh;
  readonly kills: Kill[] = [];
  readonly guards: GuardChange[] = [];
  /** What could not be done. */
  readonly problems: string[] = [];
  /** How many there were. */
  count = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #running: Set<Promise<void>> = new Set();

  constructor(mesh: SoakMesh) {
    this.mesh = mesh;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const step = STEPS[this.count++ % STEPS.length];
      const run = this.#take(step).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }, STEP_MS);
  }

  /** Resolves once all that was killed serves again. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  async #take(step: Step | undefined): Promise<void> {
    try {
      await step?.(this);
    } catch (error) {
      this.problems.push(`change ${this.count}: ${error}`);
    }
  }

  async guard(paths: GuardedPaths): Promise<void> {
    this.guards.push({ paths, at: Date.now() });
    await this.mesh.guard(paths);
  }

  async kill(part: PodPart): Promise<void> {
    const [processId, address] = await Promise.all([
      this.mesh.processOf(part),
      this.mesh.addressOf(part),
    ]);
    if (processId === undefined || address === undefined)
      throw new Error(`${part.pod} ${part.part} does not run`);
    const kill: Kill = { ...part, killedAt: Date.now(), backAt: undefined };
    process.kill(processId, "SIGKILL");
    this.kills.push(kill);
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      await delay(LOOK_MS);
      const next = await this.mesh.processOf(part);
      if (next === undefined || next === processId || !(await answers(address))) continue;
      kill.backAt = Date.now();
      return;
    }
  }
}

function answers({ address, port }: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const tell = (outcome: boolean): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => tell(true));
    socket.once("error", () => tell(false));
  });
}
