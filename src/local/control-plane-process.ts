/** The control plane as its supervisor sees it: started again when it falls, told what runs whenever that changes. */
import { basename, dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type {
  ControlPlaneInstruction,
  ControlPlaneReport,
  ControlPlaneSettings,
  RunningNow,
} from "../control/control-plane-messages.ts";
import type { RefusedResource } from "../control/refused-resources.ts";
import { type TextChanges, textChanges } from "../control/text-changes.ts";
import type { WrittenText } from "../control/written-texts.ts";
import type { SocketAddress } from "../policy/workload.ts";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import type { DataDirectory } from "./data-directory.ts";
import { firstReport, ownProcessPlan } from "./processes/own-process.ts";
import { type ProcessEvent, SupervisedProcess } from "./processes/supervised-process.ts";

export interface ControlPlaneAddress {
  /** `address:port` */
  readonly listen: string;
  /** PEM of every root that is trusted now. */
  readonly rootPem: string;
}

export interface ControlPlaneProcessOptions {
  /** All that is written of the mesh, at its start. */
  readonly texts: readonly WrittenText[];
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** Where it listens. */
  readonly listen: SocketAddress;
  /** Asked each time it is started. */
  readonly settings: () => ControlPlaneSettings | undefined;
  /** What people should read. */
  readonly tell: (notice: string) => void;
  /** Other roots are trusted than before. */
  readonly onRoots: () => void;
  /** Proxies refuse other resources than before. */
  readonly onRefused: () => void;
  readonly report: (event: ProcessEvent) => void;
  readonly random: () => number;
}

export class ControlPlaneProcess {
  readonly process: SupervisedProcess;
  readonly #options: ControlPlaneProcessOptions;
  readonly #served: Deferred<ControlPlaneAddress> = createDeferred();
  /** The last it told of itself. */
  #address: ControlPlaneAddress | undefined;
  #running: RunningNow;
  #texts: readonly WrittenText[];
  #answer: Deferred<ControlPlaneReport> = createDeferred();
  #refused: readonly RefusedResource[] = [];

  constructor(options: ControlPlaneProcessOptions, running: RunningNow) {
    this.#options = options;
    this.#running = running;
    this.#texts = options.texts;
    this.#served.promise.catch(() => undefined); // `start` tells of the failure
    this.process = new SupervisedProcess({
      title: "control plane",
      restart: "always",
      random: options.random,
      report: options.report,
      plan: async () => this.#plan(),
      prepare: async (started) => {
        for (const text of this.#texts)
          started.send(textsInstruction({ changed: [text], removed: [] }));
        started.send(this.#instruction());
        await this.#awaitReady(started);
      },
    });
  }

  /** Resolves once it served for the first time. Where it listens stays the same ever after; its roots may change. */
  get address(): Promise<ControlPlaneAddress> {
    return this.#served.promise.then((first) => this.#address ?? first);
  }

  /** PEM of every root that is trusted now; undefined before it served for the first time. */
  get rootPem(): string | undefined {
    return this.#address?.rootPem;
  }

  /** What is not in force everywhere, because proxies refuse it. */
  get refused(): readonly RefusedResource[] {
    return this.#refused;
  }

  /** @throws MeshStartError */
  async start(): Promise<void> {
    try {
      await this.process.start();
    } catch (error) {
      this.#served.reject(error);
      throw error;
    }
  }

  /** What it knows already it is not told again: it would look through the whole mesh for what has changed. */
  tell(running: RunningNow): void {
    const isKnown = isDeepStrictEqual(running, this.#running);
    this.#running = running;
    if (isKnown) return;
    const instruction: ControlPlaneInstruction = { type: "running", ...running };
    this.process.send(instruction);
  }

  /** What is written by now. */
  tellTexts(texts: readonly WrittenText[]): void {
    const changes = textChanges(this.#texts, texts);
    this.#texts = texts;
    if (changes.changed.length === 0 && changes.removed.length === 0) return;
    this.process.send(textsInstruction(changes));
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
      receive: (message) => this.#receive(message as ControlPlaneReport, answer),
    });
  }

  #receive(report: ControlPlaneReport, answer: Deferred<ControlPlaneReport>): void {
    if (report.type === "notice") this.#options.tell(report.text);
    else if (report.type === "refusals") this.#hearRefused(report.resources);
    else if (report.type !== "roots") answer.resolve(report);
    else this.#trust(report.rootPem);
  }

  #hearRefused(refused: readonly RefusedResource[]): void {
    this.#refused = refused;
    this.#options.onRefused();
  }

  #trust(rootPem: string): void {
    if (this.#address === undefined) return;
    this.#address = { ...this.#address, rootPem };
    this.#options.onRoots();
  }

  #instruction(): ControlPlaneInstruction {
    const { dataDirectory, listen, settings } = this.#options;
    return {
      type: "start",
      dataDirectory: dataDirectory.path,
      socket: dataDirectory.controlPlaneSocket,
      ...(this.#refused.length > 0 && { refusedBefore: this.#refused }),
      ...settings(),
      ...listen,
      ...this.#running,
    };
  }

  async #awaitReady(started: Parameters<typeof firstReport>[0]): Promise<void> {
    const ready = await firstReport(started, {
      answer: this.#answer.promise,
      log: this.#options.dataDirectory.controlPlaneLog,
    });
    if (ready.type !== "ready") return;
    this.#address = { listen: ready.listen, rootPem: ready.rootPem };
    this.#options.onRoots();
    this.#served.resolve(this.#address);
  }
}

/** Without folders of this machine: the control plane opens no file that a text names, and what it tells goes to sidecars. */
function textsInstruction({ changed, removed }: TextChanges): ControlPlaneInstruction {
  const texts = changed.map(({ folder: _folder, ...text }) => text);
  return { type: "texts", changed: texts, removed };
}
