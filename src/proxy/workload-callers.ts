/**
 * Which connections to a pod's Unix socket come from the pod's own processes: on a machine whose pods share one user the
 * mode of the file does not say. The kernel names the process that connected.
 */
import type { Socket } from "node:net";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { peerProcessId } from "../runtime/linux-socket.ts";
import type { Log } from "../runtime/log.ts";
import type { ProcessIdentity } from "../runtime/process-identity.ts";
import type { Watched } from "../runtime/watched.ts";
import { commandName, isInProcessTree } from "./process-tree.ts";

/** How long a caller that seems foreign is kept waiting: a program can call before its supervisor names it. */
const PATIENCE_MS = 500;
/** Beyond it whoever has been kept waiting longest is refused: strangers must not hold all connections meanwhile. */
const MAX_KEPT_WAITING = 8;

export interface WorkloadCallersOptions {
  /** The first process of each container of the pod. */
  readonly processes: Watched<readonly ProcessIdentity[]>;
  readonly log: Log;
}

export class WorkloadCallers {
  readonly #processes: Watched<readonly ProcessIdentity[]>;
  /** How to refuse those who are kept waiting, the oldest first. */
  readonly #waiting: Set<() => void> = new Set();
  readonly #warning: BoundedWarning;

  constructor({ processes, log }: WorkloadCallersOptions) {
    this.#processes = processes;
    this.#warning = new BoundedWarning(log, { message: "Workload API refused: not its workload" });
  }

  /** @throws LinuxSocketError where the kernel cannot be asked */
  async admit(socket: Socket): Promise<"admitted" | "refused"> {
    const processId = peerProcessId(socket);
    const deadline = performance.now() + PATIENCE_MS;
    while (processId !== undefined) {
      const judgedBy = this.#processes.current;
      if (isInProcessTree(processId, judgedBy)) return "admitted";
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
        this.#waiting.delete(refuse);
        resolve(changed);
      };
      const refuse = (): void => settle(false);
      const timer = setTimeout(refuse, Math.max(0, deadline - performance.now()));
      const unwatch = this.#processes.onChange(() => settle(true));
      const [oldest] = this.#waiting;
      if (this.#waiting.size >= MAX_KEPT_WAITING) oldest?.();
      this.#waiting.add(refuse);
    });
  }
}
