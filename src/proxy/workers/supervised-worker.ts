/** Keeps one place among the workers filled: whoever ends there is followed by another, later and later if soon. */
import { setTimeout as delay } from "node:timers/promises";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { type Backoff, backoffDelay } from "../../runtime/retry.ts";
import { Worker, type WorkerExit, type WorkerOptions } from "./worker.ts";

const BACKOFF: Backoff = { baseMs: 100, maxMs: 10_000 };
/** One that ran so long counts as well: the next back-off starts anew. */
const SETTLED_MS = 10_000;

export interface WorkerSupervision extends Pick<WorkerOptions, "place" | "onFullLog"> {
  /** All that a worker must know as it starts. */
  readonly instructions: () => readonly SidecarInstruction[];
  /** Resolves once another may be started; undefined: at once. */
  readonly room: () => Promise<void> | undefined;
  /** Hears each time that one serves, or cannot. */
  readonly onReport: (report: SidecarReport) => void;
  /** Hears of one that has ended, before another takes its place. */
  readonly onEnd: () => void;
  readonly log: Log;
  readonly random: () => number;
}

export class SupervisedWorker {
  readonly #supervision: WorkerSupervision;
  readonly #ended = new AbortController();
  #current: Worker | undefined;
  #isReady = false;
  #restarts = 0;
  #running: Promise<void> | undefined;

  constructor(supervision: WorkerSupervision) {
    this.#supervision = supervision;
  }

  get number(): number {
    return this.#supervision.place.number;
  }

  /** Undefined while there is none. */
  get current(): Worker | undefined {
    return this.#current;
  }

  /** Whether it has a certificate and a view, and serves. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** How often another took its place. */
  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    this.#running = this.#keepRunning();
  }

  instruct(instruction: SidecarInstruction): void {
    this.#current?.instruct(instruction);
  }

  /** Nobody follows whoever ends from now on. */
  retire(): void {
    this.#ended.abort();
  }

  /** Asks it to end, and resolves once it has. */
  async stop(): Promise<void> {
    this.retire();
    this.#current?.stop();
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    const { room } = this.#supervision;
    for (let attempt = 0; ; attempt++, this.#restarts++) {
      for (let held = room(); held !== undefined; held = room()) await held;
      if (this.#ended.signal.aborted) return;
      const since = performance.now();
      const exit = await this.#runOnce();
      if (this.#ended.signal.aborted) return;
      if (performance.now() - since >= SETTLED_MS) attempt = 0;
      await this.#pause(exit, attempt);
    }
  }

  async #runOnce(): Promise<WorkerExit> {
    const { instructions, onEnd } = this.#supervision;
    let worker: Worker;
    try {
      worker = this.#newWorker();
    } catch (error) {
      return { code: null, signal: null, problem: describeError(error) };
    }
    this.#current = worker;
    for (const instruction of instructions()) worker.instruct(instruction);
    const exit = await worker.exit;
    this.#isReady = false;
    this.#current = undefined;
    onEnd();
    return exit;
  }

  #newWorker(): Worker {
    return new Worker({
      ...this.#supervision,
      onReport: (report) => {
        this.#isReady = report.type === "ready";
        this.#supervision.onReport(report);
      },
    });
  }

  async #pause({ code, signal, problem }: WorkerExit, attempt: number): Promise<void> {
    const { log, random, place } = this.#supervision;
    const restartInMs = Math.round(backoffDelay(attempt, BACKOFF, random()));
    const exit = problem ?? signal ?? `code ${code}`;
    log.warn("a process of the sidecar ended", { process: place.number, exit, restartInMs });
    try {
      await delay(restartInMs, undefined, { signal: this.#ended.signal });
    } catch (error) {
      if (!this.#ended.signal.aborted) throw error;
    }
  }
}
