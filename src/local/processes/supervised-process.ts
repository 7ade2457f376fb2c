/** Keeps one process running: starts it again when it ends, waiting longer each time it ends soon. */
import { setTimeout as delay } from "node:timers/promises";
import type { HookName } from "../../api/lifecycle.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { type Backoff, backoffDelay } from "../../runtime/retry.ts";
import { MeshProcess, type ProcessExit, type ProcessPlan } from "./mesh-process.ts";

const BACKOFF: Backoff = { baseMs: 100, maxMs: 10_000 };
/** A process that ran so long counts as well: the next back-off starts anew. */
const SETTLED_MS = 10_000;

/** `completed` is an end that is not mended: a job is done, or gave up. */
export type ProcessPhase = "starting" | "running" | "waiting" | "completed" | "stopped";

export type RestartPolicy = "always" | "on-failure" | "never";

export interface Supervision {
  readonly title: string;
  readonly restart: RestartPolicy;
  /** Most restarts before giving up; absent for no limit. */
  readonly restartLimit?: number;
  /** What to start; asked each time, since it may hold fresh secrets. */
  readonly plan: () => Promise<ProcessPlan>;
  /** Runs after each start, such as handing over instructions; its failure ends that process. */
  readonly prepare?: (started: MeshProcess) => Promise<void>;
  /**
   * Runs once before each process that runs is asked to end, whether for good or to be started again.
   *
   * @returns how long it may take from then on, in milliseconds
   */
  readonly beforeEnd?: (running: MeshProcess) => Promise<number>;
  readonly report: (event: ProcessEvent) => void;
  /** A number in [0, 1). */
  readonly random: () => number;
}

type ProcessEnd =
  | { readonly type: "ended"; readonly exit: ProcessExit }
  | { readonly type: "failed"; readonly problem: string };

/** An end without `restartInMs` is final. */
export type ProcessEvent =
  | { readonly type: "started"; readonly processId: number }
  /** By itself: what it keeps running ended. */
  | { readonly type: "restarted"; readonly problem: string }
  | { readonly type: "hook-failed"; readonly hook: HookName; readonly problem: string }
  | (ProcessEnd & { readonly restartInMs?: number });

export class SupervisedProcess {
  readonly #supervision: Supervision;
  readonly #stop: AbortController = new AbortController();
  #phase: ProcessPhase = "starting";
  #restarts = 0;
  #innerRestarts = 0;
  #current: MeshProcess | undefined;
  #starting: Promise<MeshProcess> | undefined;
  #running: Promise<void> | undefined;
  #exit: ProcessExit | undefined;
  /** The process that is on its way out, which may take as long as whoever asked first allows. */
  #end: { readonly of: MeshProcess; readonly done: Promise<void> } | undefined;
  #ranMs = 0;

  constructor(supervision: Supervision) {
    this.#supervision = supervision;
  }

  get title(): string {
    return this.#supervision.title;
  }
  get phase(): ProcessPhase {
    return this.#phase;
  }
  /** How often it, or what it keeps running, was started again. */
  get restarts(): number {
    return this.#restarts + this.#innerRestarts;
  }
  /** Absent while it does not run. */
  get processId(): number | undefined {
    return this.#current?.ended === undefined ? this.#current?.processId : undefined;
  }
  /** How it last ended. */
  get lastExit(): ProcessExit | undefined {
    return this.#exit;
  }

  /**
   * Resolves once it was started and prepared for the first time.
   *
   * @throws the reason why it could not be; it is not tried again
   */
  async start(): Promise<void> {
    this.#starting = this.#startOnce();
    this.#running = this.#keepRunning(await this.#starting);
  }

  /** It says that what it keeps running ended, and that it starts that again: for people a restart as any other. */
  countInnerRestart(problem: string): void {
    this.#innerRestarts++;
    this.#supervision.report({ type: "restarted", problem });
  }

  /** Tells the process something, if it runs and has a pipe. */
  send(message: unknown): void {
    this.#current?.send(message);
  }

  /** Resolves once it has ended for good. */
  async finished(): Promise<void> {
    await this.#running;
  }

  /** Ends it, now and for good. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#endCurrent();
    await Promise.allSettled([this.#starting]); // whoever asked for it hears of a failure
    await this.#endCurrent();
    await this.#running;
    if (this.#phase !== "completed") this.#phase = "stopped";
  }

  /** Ends what runs now; it is started again, as after any other end. */
  async restart(): Promise<void> {
    await this.#endCurrent();
  }

  /** If it was asked to end, it has no more than so long from now on, in milliseconds. */
  hurry(graceMs: number): void {
    this.#current?.hurry(graceMs);
  }

  async #endCurrent(): Promise<void> {
    const of = this.#current;
    if (of === undefined || of.ended !== undefined) return;
    if (this.#end?.of !== of) this.#end = { of, done: this.#endOnce(of) };
    await this.#end.done;
  }

  async #endOnce(running: MeshProcess): Promise<void> {
    const graceMs = await this.#supervision.beforeEnd?.(running);
    await running.stop(graceMs);
  }

  async #startOnce(): Promise<MeshProcess> {
    const { plan, prepare, report } = this.#supervision;
    const planned = await plan();
    this.#stop.signal.throwIfAborted();
    const started = await MeshProcess.start(planned);
    this.#current = started;
    if (this.#stop.signal.aborted) await started.stop(); // asked to while it was being started
    try {
      report({ type: "started", processId: started.processId });
      await prepare?.(started);
    } catch (error) {
      await started.stop();
      throw error;
    }
    this.#phase = "running";
    return started;
  }

  async #keepRunning(first: MeshProcess): Promise<void> {
    let failures = 0;
    let end = await this.#follow(first);
    while (!this.#stop.signal.aborted) {
      if (!this.#mayRestart(end)) {
        this.#phase = "completed";
        this.#supervision.report(end);
        return;
      }
      failures = this.#ranMs >= SETTLED_MS ? 0 : failures + 1;
      await this.#wait(end, failures);
      if (!this.#stop.signal.aborted) end = await this.#runAgain();
    }
  }

  async #follow(started: MeshProcess): Promise<ProcessEnd> {
    const since = performance.now();
    this.#exit = await started.exit;
    this.#ranMs = performance.now() - since;
    return { type: "ended", exit: this.#exit };
  }

  async #runAgain(): Promise<ProcessEnd> {
    this.#restarts++;
    this.#phase = "starting";
    this.#ranMs = 0;
    try {
      return await this.#follow(await this.#startOnce());
    } catch (error) {
      return { type: "failed", problem: describeError(error) };
    }
  }

  #mayRestart(end: ProcessEnd): boolean {
    const { restart, restartLimit = Number.POSITIVE_INFINITY } = this.#supervision;
    if (restart === "never") return false;
    if (restart === "on-failure" && end.type === "ended" && end.exit.code === 0) return false;
    return this.#restarts < restartLimit;
  }

  async #wait(end: ProcessEnd, failures: number): Promise<void> {
    const { report, random } = this.#supervision;
    this.#phase = "waiting";
    const restartInMs = Math.round(backoffDelay(failures - 1, BACKOFF, random()));
    report({ ...end, restartInMs });
    try {
      await delay(restartInMs, undefined, { signal: this.#stop.signal });
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}
