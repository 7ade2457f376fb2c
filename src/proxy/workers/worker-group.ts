/**
 * A sidecar of several processes, as the one that holds its ports sees it: each worker makes a key of its own, gets a
 * certificate and a view of its own, and serves; this process sees no byte of anybody's.
 */
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { DEFAULT_LOG_LEVEL, type Log, type LogLevel } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import type { AdminPage, AdminRequest } from "../admin-page.ts";
import type { SidecarState } from "../admin-server.ts";
import { SupervisedWorker } from "./supervised-worker.ts";

/** Of a worker that is asked: one that says nothing for so long is left out of the answer. */
const PATIENCE_MS = 2_000;

export interface WorkerGroupOptions {
  /** How many are to serve. */
  readonly workers: number;
  /** Of all processes' logs. */
  readonly logLevel: Watched<LogLevel>;
  /** Hears that a log to which all write has grown to its bound. */
  readonly onFullLog: () => void;
  /** Hears of a worker that has ended. */
  readonly onEnd: (number: number) => void;
  readonly log: Log;
  readonly random: () => number;
}

type Bootstrap = SidecarInstruction & { readonly type: "bootstrap" };

/** What one worker answers; `page` is absent where it does not. */
export interface WorkerReply {
  readonly worker: SupervisedWorker;
  readonly page: AdminPage | undefined;
}

export class WorkerGroup {
  readonly workers: readonly SupervisedWorker[];
  readonly #log: Log;
  readonly #logLevel: Watched<LogLevel>;
  readonly #first: Deferred<SidecarReport> = createDeferred();
  #bootstrap: Bootstrap | undefined;
  #application: SidecarInstruction | undefined;
  #isDraining = false;
  /** While the logs are held. */
  #logsHeld: Deferred<void> | undefined;

  constructor({ workers, logLevel, onEnd, ...options }: WorkerGroupOptions) {
    this.#log = options.log;
    this.#logLevel = logLevel;
    logLevel.onChange((level) => void this.askAll(levelRequest(level)));
    const numbers = Array.from({ length: workers }, (_, index) => index + 1);
    this.workers = numbers.map(
      (number): SupervisedWorker =>
        new SupervisedWorker({
          ...options,
          place: { number, of: workers },
          instructions: () => this.#instructionsFor(number),
          room: () => this.#logsHeld?.promise,
          onReport: (report) => this.#hear(number, report),
          onEnd: () => onEnd(number),
        }),
    );
  }

  /** @returns "ready" once all serve; "failed" once one of them says that it cannot start */
  start(bootstrap: Bootstrap): Promise<SidecarReport> {
    this.#bootstrap = bootstrap;
    for (const worker of this.workers) worker.start();
    return this.#first.promise;
  }

  /** Tells all what a sidecar is told while it runs; whoever takes somebody's place is told too. */
  instruct(instruction: SidecarInstruction): void {
    const { type } = instruction;
    if (type === "application") this.#application = instruction;
    if (type === "token" && this.#bootstrap !== undefined) {
      const { token, rootPem } = instruction;
      this.#bootstrap = { ...this.#bootstrap, token, rootPem };
    }
    for (const worker of this.workers) worker.instruct(instruction);
  }

  get state(): SidecarState {
    if (this.#isDraining) return "draining";
    return this.workers.every(({ isReady }) => isReady) ? "ready" : "starting";
  }

  /**
   * Of all workers, by their numbers.
   *
   * @param hear hears each answer as it comes, and none of a worker that has ended meanwhile
   */
  askAll(
    request: WorkerRequest,
    hear: (worker: SupervisedWorker, page: AdminPage) => void = () => {},
  ): Promise<WorkerReply[]> {
    return Promise.all(
      this.workers.map(async (worker) => {
        const asked = worker.current;
        const page = await asked?.ask(request, PATIENCE_MS);
        if (page !== undefined && worker.current === asked) hear(worker, page);
        return { worker, page };
      }),
    );
  }

  /** None writes to a log while that is done, but for one that does not say in time that it holds still. */
  async whileLogsAreHeld(change: () => Promise<void>): Promise<void> {
    const held = this.workers.flatMap(({ current }) => current ?? []);
    const until = createDeferred<void>();
    this.#logsHeld = until;
    try {
      await Promise.all(held.map((worker) => worker.holdLogs(PATIENCE_MS)));
      await change();
    } finally {
      for (const worker of held) worker.releaseLogs();
      this.#logsHeld = undefined;
      until.resolve();
    }
  }

  /**
   * All take no more, and end what is under way; none that ends is followed by another.
   *
   * @returns whether somebody said so, or nobody is left
   */
  async drain(): Promise<boolean> {
    this.#isDraining = true;
    for (const worker of this.workers) worker.retire();
    const replies = await this.askAll(DRAIN);
    const isTaken = replies.some(({ page }) => page?.status === 202);
    return isTaken || this.workers.every(({ current }) => current === undefined);
  }

  /** As SIGTERM; resolves once all have ended. */
  async stop(): Promise<void> {
    this.#isDraining = true;
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }

  /** What is handed to the pod's programs has one owner. */
  #instructionsFor(number: number): readonly SidecarInstruction[] {
    if (this.#bootstrap === undefined) return [];
    const { workloadApi: _, proxyless: __, ...rest } = this.#bootstrap;
    const bootstrap = number === 1 ? this.#bootstrap : rest;
    return this.#application === undefined ? [bootstrap] : [bootstrap, this.#application];
  }

  #hear(number: number, report: SidecarReport): void {
    const worker = this.workers[number - 1]?.current;
    if (report.type === "failed") {
      this.#log.error("a process of the sidecar did not start", {
        process: number,
        problem: report.problem,
      });
      this.#first.resolve(report);
      return;
    }
    const level = this.#logLevel.current;
    if (level !== DEFAULT_LOG_LEVEL) void worker?.ask(levelRequest(level), PATIENCE_MS);
    if (this.#isDraining) void worker?.ask(DRAIN, PATIENCE_MS);
    if (this.workers.every(({ isReady }) => isReady)) this.#first.resolve(report);
  }
}

type WorkerRequest = Pick<AdminRequest, "method" | "path" | "parameters">;

function levelRequest(level: LogLevel): WorkerRequest {
  return { method: "POST", path: "/logging", parameters: new URLSearchParams({ level }) };
}

const DRAIN: WorkerRequest = { method: "POST", path: "/drain", parameters: new URLSearchParams() };
