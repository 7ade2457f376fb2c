/** A sidecar in a process of its own, so that its memory is nobody else's, and whoever attacks it does not slow it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { InboundPort } from "../../src/policy/workload-view.ts";
import { forgetPeak, residentMemory } from "./resident-memory.ts";

/** What the process is told; it answers once the sidecar serves. */
export interface SidecarOrder {
  readonly rootPem: string;
  readonly svid: X509Svid;
  readonly ports: readonly InboundPort[];
}

const PROGRAM = "test/kit/sidecar-process-main.ts";

export class SidecarProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit");
  }

  static async start(order: SidecarOrder): Promise<SidecarProcess> {
    const execArgv = ["--import", "tsx"];
    const child = fork(PROGRAM, [], { execArgv, serialization: "advanced" });
    const started = new SidecarProcess(child);
    child.send(order);
    await Promise.race([once(child, "message"), started.#ended]);
    if (!started.isRunning) throw new Error("the sidecar's process ended before it served");
    return started;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  /** MiB that it holds. */
  async memory(): Promise<number> {
    return (await residentMemory(this.processId)).now;
  }

  /** MiB by which it grew at most while something was done, above what it held before. */
  async growthDuring(deed: () => Promise<unknown>): Promise<number> {
    await forgetPeak(this.processId);
    const before = await this.memory();
    await deed();
    return (await residentMemory(this.processId)).peak - before;
  }

  async stop(): Promise<void> {
    if (this.isRunning) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
