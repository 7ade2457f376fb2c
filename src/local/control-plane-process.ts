/** The control plane as its supervisor sees it: started again when it falls, told what runs whenever that changes. */
import { basename, dirname } from "node:path";
import type {
  ControlPlaneInstruction,
  ControlPlaneReport,
  RunningNow,
} from "../control/control-plane-messages.ts";
import type { SocketAddress } from "../policy/workload.ts";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import type { DataDirectory } from "./data-directory.ts";
import { firstReport, MeshStartError, ownProcessPlan } from "./processes/own-process.ts";
import { type ProcessEvent, SupervisedProcess } from "./processes/supervised-process.ts";

export interface ControlPlaneAddress {
  /** `address:port` */
  readonly listen: string;
  readonly rootPem: string;
}

export interface ControlPlaneProcessOptions {
  readonly paths: readonly string[];
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** Where it listens. */
  readonly listen: SocketAddress;
  readonly report: (event: ProcessEvent) => void;
  readonly random: () => number;
}

export class ControlPlaneProcess {
  readonly process: SupervisedProcess;
  readonly #options: ControlPlaneProcessOptions;
  readonly #address: Deferred<ControlPlaneAddress> = createDeferred();
  #running: RunningNow;
  #answer: Deferred<ControlPlaneReport> = createDeferred();

  constructor(options: ControlPlaneProcessOptions, running: RunningNow) {
    this.#options = options;
    this.#running = running;
    this.#address.promise.catch(() => undefined); // `start` tells of the failure
    this.process = new SupervisedProcess({
      title: "control plane",
      restart: "always",
      random: options.random,
      report: options.report,
      plan: async () => this.#plan(),
      prepare: async (started) => {
        started.send(this.#instruction());
        await this.#awaitReady(started);
      },
    });
  }

  /** Resolves once it served for the first time; the address stays the same ever after. */
  get address(): Promise<ControlPlaneAddress> {
    return this.#address.promise;
  }

  /** @throws MeshStartError */
  async start(): Promise<void> {
    try {
      await this.process.start();
    } catch (error) {
      this.#address.reject(error);
      throw error;
    }
  }

  tell(running: RunningNow): void {
    this.#running = running;
    const instruction: ControlPlaneInstruction = { type: "running", ...running };
    this.process.send(instruction);
  }

  #plan(): ReturnType<typeof ownProcessPlan> {
    const { dataDirectory, hauberkCommand } = this.#options;
    const answer = createDeferred<ControlPlaneReport>();
    this.#answer = answer;
    return ownProcessPlan({
      title: "control plane",
      hauberkCommand,
      command: "control-plane",
      logDirectory: dirname(dataDirectory.controlPlaneLog),
      output: "control-plane.out.log",
      errors: basename(dataDirectory.controlPlaneLog),
      receive: (message) => answer.resolve(message as ControlPlaneReport),
    });
  }

  #instruction(): ControlPlaneInstruction {
    const { paths, dataDirectory, listen } = this.#options;
    return {
      type: "start",
      paths,
      dataDirectory: dataDirectory.path,
      ...listen,
      ...this.#running,
    };
  }

  async #awaitReady(started: Parameters<typeof firstReport>[0]): Promise<void> {
    const ready = await firstReport(started, {
      answer: this.#answer.promise,
      log: this.#options.dataDirectory.controlPlaneLog,
    });
    if (ready.type === "failed") throw new MeshStartError(`the control plane: ${ready.problem}`);
    this.#address.resolve(ready);
  }
}
