/** One worker as the process that holds the ports sees it: started, instructed, asked, and ended. */
import type { ChildProcess } from "node:child_process";
import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { fstatSync } from "node:fs";
import { Duplex } from "node:stream";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../../runtime/json-lines.ts";
import type { AdminPage, AdminRequest } from "../admin-page.ts";
import type { WorkerAnswer, WorkerOrder } from "./worker-messages.ts";
import { environmentOf, type WorkerPlace } from "./worker-place.ts";

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Of one that could not be started. */
  readonly problem?: string;
}

export interface WorkerOptions {
  readonly place: WorkerPlace;
  /** Hears what it says over its descriptor 3. */
  readonly onReport: (report: SidecarReport) => void;
  /** Hears that a log has grown to its bound. */
  readonly onFullLog: () => void;
}

/** Of the pipe of instructions. */
const PIPE = 3;
/** What whoever started this process may have given it beside: logs, and folders that it cannot see otherwise. */
const GIVEN = [4, 5, 6, 7, 8, 9];

/** Once, before the first worker: they run this same program, and each accepts connections by itself. */
export function prepareWorkers(command: string): void {
  const given = GIVEN.map((descriptor) => (isGiven(descriptor) ? descriptor : "ignore"));
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ args: [command], stdio: ["ignore", 1, 2, "pipe", ...given, "ipc"] });
}

/** Node's own are neither files nor folders. */
function isGiven(descriptor: number): boolean {
  try {
    const found = fstatSync(descriptor);
    return found.isFile() || found.isDirectory();
  } catch {
    return false; // closed
  }
}

export class Worker {
  readonly exit: Promise<WorkerExit>;
  readonly #worker: ClusterWorker;
  readonly #pipe: Duplex | undefined;
  readonly #asked = new Map<number, Deferred<AdminPage | undefined>>();
  /** Orders that wait until it hears; undefined: it does. */
  #waiting: WorkerOrder[] | undefined = [];
  #questions = 0;

  /** @throws Error where the machine has no room for another process; whether it does, or `exit` tells, is Node's choice */
  constructor({ place, onReport, onFullLog }: WorkerOptions) {
    this.#worker = cluster.fork(environmentOf(place));
    this.exit = this.#ended();
    const { stdio }: Partial<ChildProcess> = this.#worker.process; // none, of one that was not started
    const pipe = stdio?.[PIPE];
    this.#pipe = pipe instanceof Duplex ? pipe : undefined;
    this.#pipe?.on("error", () => this.#pipe?.destroy()); // it ended; its exit is told by itself
    // Our own program, of this same version.
    if (this.#pipe) readJsonLines(this.#pipe, (message) => onReport(message as SidecarReport));
    this.#worker.on("message", (answer: WorkerAnswer) => {
      this.#sendWaiting();
      if (answer.type === "log-full") onFullLog();
      else if (answer.type !== "hears")
        this.#settle(answer.id, answer.type === "answer" ? answer.page : HELD);
    });
  }

  get processId(): number | undefined {
    return this.#worker.process.pid;
  }

  instruct(instruction: SidecarInstruction): void {
    if (this.#pipe !== undefined) writeJsonLine(this.#pipe, instruction);
  }

  /** @returns undefined when it has ended, or does not answer in time */
  ask(
    { method, path, parameters }: Pick<AdminRequest, "method" | "path" | "parameters">,
    patienceMs: number,
  ): Promise<AdminPage | undefined> {
    const question = { type: "ask", method, path, parameters: parameters.toString() } as const;
    return this.#ask((id) => ({ ...question, id }), patienceMs);
  }

  /** Resolves once it writes to no log, does not say so in time, or has ended. */
  async holdLogs(patienceMs: number): Promise<void> {
    await this.#ask((id) => ({ type: "hold-logs", id }), patienceMs);
  }

  releaseLogs(): void {
    this.#order({ type: "release-logs" });
  }

  /** Asks it to end, as SIGTERM does. */
  stop(): void {
    this.#order({ type: "stop" });
  }

  #ended(): Promise<WorkerExit> {
    return new Promise((resolve) => {
      const end = (exit: WorkerExit): void => {
        for (const id of [...this.#asked.keys()]) this.#settle(id, undefined);
        this.#pipe?.destroy();
        resolve(exit);
      };
      this.#worker.once("exit", (code, signal) => end({ code, signal }));
      this.#worker.on("error", (error) => {
        // It could not be started, or a message did not reach it.
        const problem = describeError(error);
        if (this.#worker.process.pid === undefined) end({ code: null, signal: null, problem });
      });
    });
  }

  async #ask(
    order: (id: number) => WorkerOrder,
    patienceMs: number,
  ): Promise<AdminPage | undefined> {
    const id = ++this.#questions;
    const answer = createDeferred<AdminPage | undefined>();
    this.#asked.set(id, answer);
    const timer = setTimeout(() => this.#settle(id, undefined), patienceMs);
    this.#order(order(id));
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #order(order: WorkerOrder): void {
    if (this.#waiting !== undefined) this.#waiting.push(order);
    else if (this.#worker.isConnected()) this.#worker.send(order, () => {}); // one that ended has its exit
  }

  #sendWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const order of waiting) this.#order(order);
  }

  #settle(id: number, page: AdminPage | undefined): void {
    this.#asked.get(id)?.resolve(page);
    this.#asked.delete(id);
  }
}

const HELD: AdminPage = { status: 204, contentType: "", body: "" };
