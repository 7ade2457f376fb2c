/**
 * Which connections to a pod's Unix socket come from the pod's own processes: on a machine whose pods share one user the
 * mode of the file does not say. The kernel names the process that connected.
 */
import type { Socket } from "node:net";
import type { Clock } from "../runtime/clock.ts";
import { peerProcessId } from "../runtime/linux-socket.ts";
import type { Log } from "../runtime/log.ts";
import type { ProcessIdentity } from "../runtime/process-identity.ts";
import type { Watched } from "../runtime/watched.ts";
import { Allowance } from "./allowance.ts";
import { BoundedWarning } from "./bounded-warning.ts";
import { commandName, processTree } from "./process-tree.ts";

/** How long a caller that seems foreign is kept waiting: a program can call before its supervisor names it. */
const PATIENCE_MS = 500;
/** Each is a look at all processes of the machine. */
const MAX_LOOKS_PER_SECOND = 50;

export interface WorkloadCallersOptions {
  /** The first process of each container of the pod. */
  readonly processes: Watched<readonly ProcessIdentity[]>;
  readonly clock: Clock;
  readonly log: Log;
}

export class WorkloadCallers {
  readonly #processes: Watched<readonly ProcessIdentity[]>;
  readonly #looks: Allowance;
  readonly #warning: BoundedWarning;

  constructor({ processes, clock, log }: WorkloadCallersOptions) {
    this.#processes = processes;
    this.#looks = new Allowance({ perSecond: MAX_LOOKS_PER_SECOND, clock });
    this.#warning = new BoundedWarning(log, { message: "Workload API refused: not its workload" });
  }

  /** @throws LinuxSocketError where the kernel cannot be asked */
  async admit(socket: Socket): Promise<"admitted" | "refused"> {
    const processId = peerProcessId(socket);
    const deadline = performance.now() + PATIENCE_MS;
    while (processId !== undefined) {
      const judgedBy = this.#processes.current;
      if (this.#looks.take() === "spent") break;
      if (processTree(judgedBy).some((one) => one.processId === processId)) return "admitted";
      if (!(await this.#changesFrom(judgedBy, deadline))) break;
    }
    this.#warning.warn({ processId, command: processId && commandName(processId) });
    return "refused";
  }

  /** Whether other processes are named before the deadline, an instant of `performance.now()`. */
  #changesFrom(judgedBy: readonly ProcessIdentity[], deadline: number): Promise<boolean> {
    if (this.#processes.current !== judgedBy) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (changed: boolean): void => {
        clearTimeout(timer);
        unwatch();
        resolve(changed);
      };
      const timer = setTimeout(() => settle(false), Math.max(0, deadline - performance.now()));
      const unwatch = this.#processes.onChange(() => settle(true));
    });
  }
}
