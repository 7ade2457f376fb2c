/** The gateway as its supervisor sees it: started again when it falls, told the destinations whenever they change. */
import { basename, dirname } from "node:path";
import type {
  GatewayInstruction,
  GatewayReport,
  GatewayStart,
} from "../../policy/gateway-messages.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import type { MeshProcess, ProcessPlan } from "../processes/mesh-process.ts";
import { firstReport, ownProcessPlan } from "../processes/own-process.ts";
import { type ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";

export interface GatewayProcessOptions {
  readonly start: Omit<GatewayStart, "type" | "destinations">;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** Path of its log file. */
  readonly log: string;
  readonly report: (event: ProcessEvent) => void;
  readonly random: () => number;
}

export class GatewayProcess {
  readonly process: SupervisedProcess;
  readonly #options: GatewayProcessOptions;
  #destinations: readonly Destination[] = [];
  #answer: Deferred<GatewayReport> = createDeferred();

  constructor(options: GatewayProcessOptions) {
    this.#options = options;
    this.process = new SupervisedProcess({
      title: "gateway",
      restart: "always",
      random: options.random,
      report: options.report,
      plan: async () => this.#plan(),
      prepare: (started) => this.#instruct(started),
    });
  }

  tell(destinations: readonly Destination[]): void {
    this.#destinations = destinations;
    this.process.send({ type: "destinations", destinations } satisfies GatewayInstruction);
  }

  #plan(): ProcessPlan {
    const { hauberkCommand, log } = this.#options;
    const answer = createDeferred<GatewayReport>();
    this.#answer = answer;
    return ownProcessPlan({
      title: "gateway",
      hauberkCommand,
      command: "gateway",
      logDirectory: dirname(log),
      output: "gateway.out.log",
      errors: basename(log),
      receive: (message) => answer.resolve(message as GatewayReport),
    });
  }

  async #instruct(started: MeshProcess): Promise<void> {
    const { start, log } = this.#options;
    const instruction: GatewayInstruction = {
      type: "start",
      ...start,
      destinations: this.#destinations,
    };
    started.send(instruction);
    await firstReport(started, { answer: this.#answer.promise, log });
  }
}
