/** One container of a pod: its process, kept running, what its probes say, and its hooks. */
import type { Container } from "../../api/container.ts";
import type { HookName } from "../../api/lifecycle.ts";
import { DEFAULT_GRACE_SECONDS } from "../../api/pod-template.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { MeshProcess, ProcessPlan } from "../processes/mesh-process.ts";
import { type ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import type { ContainerFiles } from "./container-files.ts";
import { type ContainerHealth, watchContainerHealth } from "./container-health.ts";
import {
  CLOSING_GRACE_MS,
  type HookSurroundings,
  LEAST_GRACE_MS,
  runHook,
  runPreStop,
} from "./container-hooks.ts";
import type { ContainerLaunch } from "./container-launch.ts";
import type { ProbedPlace } from "./probed-place.ts";
import type { PathRewrite } from "./rewrite-paths.ts";
import { type FileWriter, writeContainerFiles } from "./write-container-files.ts";

/** A program that ignores SIGTERM does not hold up everybody for the 30 seconds that Kubernetes writes into each pod. */
const UNASKED_GRACE_MS = 10_000;

/** What is started, and whom a request to end is for; see `ProcessPlan`. */
export type EnclosedLaunch = Pick<
  ProcessPlan,
  "command" | "environment" | "workingDirectory" | "programsOf"
>;

/** A token file is written anew when half of its life is over. */
const CREDENTIAL_SHARE = 0.5;

export interface PodContainerOptions {
  readonly pod: PlannedPod;
  readonly container: Container;
  /** What to start; asked at each start. */
  readonly launch: () => ContainerLaunch;
  readonly writer: FileWriter;
  /** From what the manifest asks for to what is really started. */
  readonly enclose: (launch: ContainerLaunch) => EnclosedLaunch;
  /** Where its probes go. */
  readonly probed: ProbedPlace;
  readonly logDirectory: string;
  readonly report: (event: ProcessEvent) => void;
  readonly onReadiness: () => void;
  /** Called once, when the manifest speaks of paths that are elsewhere here. */
  readonly onPlaced: (rewrites: readonly PathRewrite[]) => void;
  /** What a hook runs is the pod's own for as long as it runs; returns what forgets it. */
  readonly admit: (processId: number) => () => void;
  /** Aborts when all pods end. */
  readonly closing: AbortSignal;
  readonly random: () => number;
}

/** Files of the sidecar in the same folder: what an application prints must not pass for its decisions. */
const SIDECAR_LOGS = ["access", "sidecar"];

/** In the folder of its pod's logs. */
export function logFileOf({ name }: Container): string {
  return SIDECAR_LOGS.includes(name) ? `container-${name}.log` : `${name}.log`;
}

/** Whether a probe says when it is ready. */
export function isProbed({ readinessProbe, startupProbe }: Container): boolean {
  return readinessProbe !== undefined || startupProbe !== undefined;
}

/** Whether it counts as ready once it was started: only where no probe is asked, and no hook waited for. */
export function startsReady(container: Container): boolean {
  return !isProbed(container) && container.lifecycle?.postStart === undefined;
}

export class PodContainer {
  readonly process: SupervisedProcess;
  readonly #options: PodContainerOptions;
  #health: ContainerHealth | undefined;
  /** Aborts the `postStart` hook of what runs now. */
  #postStart: AbortController | undefined;
  readonly #begun: Deferred<void> = createDeferred();
  #renewal: NodeJS.Timeout | undefined;
  #stopped = false;
  #placed = false;
  /** What runs now was started as. */
  #launch: ContainerLaunch | undefined;
  #ready: boolean;
  #wasReady = false;
  /** What it has to end, where somebody said so; absent: what its pod says. */
  #graceSeconds: number | undefined;
  /** While its `preStop` hook runs: leaves it less time. */
  #hurryHook: ((graceMs: number) => void) | undefined;
  /** The last thing that was wrong with it. */
  #problem: string | undefined;

  constructor(options: PodContainerOptions) {
    this.#options = options;
    const { container, pod } = options;
    this.#ready = startsReady(container);
    this.process = new SupervisedProcess({
      title: `${pod.workload.namespace}/${pod.workload.name} ${container.name}`,
      random: options.random,
      plan: () => this.#plan(),
      beforeEnd: (running) => this.#beforeEnd(running),
      report: (event) => this.#report(event),
      ...(pod.backoffLimit === undefined
        ? { restart: "always" }
        : { restart: "on-failure", restartLimit: pod.backoffLimit }),
    });
  }

  get ready(): boolean {
    return this.#ready;
  }
  get problem(): string | undefined {
    return this.#problem;
  }
  /** Resolves once its first `postStart` hook is over, whatever came of it, or it was stopped. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get hasPostStart(): boolean {
    return this.#options.container.lifecycle?.postStart !== undefined;
  }

  /** One that was stopped already stays so. @throws the reason why it could not be started; it is not tried again */
  async start(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.process.start();
    } catch (error) {
      this.#setReady(false, describeError(error));
      throw error;
    }
  }

  /** @throws MissingVolumeDataError */
  async refreshFiles(): Promise<void> {
    await writeContainerFiles(this.#options.launch().files, this.#options.writer);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#renewal);
    this.#health?.stop();
    this.#postStart?.abort();
    this.#begun.resolve();
    const { closing } = this.#options;
    const hurry = (): void => this.process.hurry(CLOSING_GRACE_MS);
    if (closing.aborted) hurry();
    closing.addEventListener("abort", hurry, { once: true });
    await this.process.stop().finally(() => closing.removeEventListener("abort", hurry));
  }

  /** It has so long to end, when it is asked to; if it was already, from now on. */
  allow(seconds: number): void {
    if (seconds === this.#graceSeconds) return;
    this.#graceSeconds = seconds;
    this.#hurryHook?.(this.#graceMs);
    this.process.hurry(this.#graceMs);
  }

  /** Of its program; the hook before it counts. */
  get #graceMs(): number {
    const { container, pod, closing } = this.#options;
    const seconds = this.#graceSeconds ?? pod.template.terminationGracePeriodSeconds;
    const isAsked = seconds !== DEFAULT_GRACE_SECONDS || container.lifecycle?.preStop !== undefined;
    const graceMs = isAsked ? Math.max(seconds * 1000, LEAST_GRACE_MS) : UNASKED_GRACE_MS;
    return closing.aborted ? Math.min(graceMs, CLOSING_GRACE_MS) : graceMs;
  }

  async #beforeEnd(running: MeshProcess): Promise<number> {
    const hook = this.#options.container.lifecycle?.preStop;
    if (hook === undefined) return this.#graceMs;
    this.#postStart?.abort();
    return runPreStop(hook, this.#hookSurroundings, {
      graceMs: this.#graceMs,
      closing: this.#options.closing,
      onBegun: (hurry) => {
        this.#hurryHook = hurry;
      },
      ended: running.exit,
      onFailed: (problem) => this.#tellFailedHook("preStop", problem),
    }).finally(() => {
      this.#hurryHook = undefined;
    });
  }

  get #hookSurroundings(): HookSurroundings {
    const { probed: place, admit } = this.#options;
    return { place, admit, exec: (command) => this.launchBeside(command) };
  }

  #tellFailedHook(hook: HookName, problem: string): void {
    this.#problem = `${hook} hook: ${problem}`;
    this.#options.report({ type: "hook-failed", hook, problem });
  }

  async #plan(): Promise<ProcessPlan> {
    const { container, logDirectory } = this.#options;
    const launch = this.#options.launch();
    this.#launch = launch;
    const { files, paths } = launch;
    await writeContainerFiles(files, this.#options.writer);
    this.#renewCredentials(files);
    if (!this.#placed && paths === "rewritten" && files.rewrites.length > 0)
      this.#options.onPlaced(files.rewrites);
    this.#placed = true;
    const output = logFileOf(container);
    return {
      title: this.process.title,
      ...this.#options.enclose(launch),
      logDirectory,
      output,
      errors: output,
      graceMs: this.#graceMs,
      pipe: "none",
    };
  }

  #renewCredentials({ credentials }: ContainerFiles): void {
    clearInterval(this.#renewal);
    const lifetimes = credentials.flatMap(({ credential }) =>
      credential.kind === "token" ? credential.lifetimeSeconds : [],
    );
    if (lifetimes.length === 0 || this.#stopped) return;
    const everyMs = Math.min(...lifetimes) * 1000 * CREDENTIAL_SHARE;
    this.#renewal = setInterval(() => {
      this.refreshFiles().catch((error: unknown) => this.#tellFailed(error));
    }, everyMs).unref();
  }

  #report(event: ProcessEvent): void {
    this.#health?.stop();
    this.#postStart?.abort();
    if (!startsReady(this.#options.container)) this.#setReady(false, this.#problem);
    if (event.type === "started" && !this.#stopped) {
      this.#graceSeconds = undefined;
      this.#begin();
    }
    this.#options.report(event);
  }

  /** A run of it: first its hook, then its probes. */
  #begin(): void {
    const hook = this.#options.container.lifecycle?.postStart;
    if (hook === undefined) {
      this.#begun.resolve();
      this.#health = this.#watch();
      return;
    }
    const over = new AbortController();
    this.#postStart = over;
    const { signal } = over;
    // Not before whoever started it has heard of it.
    const done = Promise.resolve().then(() => runHook(hook, { ...this.#hookSurroundings, signal }));
    done
      .then(
        () => {
          if (!signal.aborted) this.#health = this.#watch();
        },
        (error: unknown) => {
          this.#tellFailedHook("postStart", describeError(error));
          this.#restart();
        },
      )
      .finally(() => this.#begun.resolve());
  }

  /** @param graceSeconds absent: what its pod says */
  #restart(graceSeconds?: number): void {
    this.#graceSeconds = graceSeconds;
    this.process.restart().catch((error: unknown) => this.#tellFailed(error));
  }

  #tellFailed(error: unknown): void {
    this.#options.report({ type: "failed", problem: describeError(error) });
  }

  #watch(): ContainerHealth {
    const { container, probed } = this.#options;
    return watchContainerHealth({
      container,
      place: probed,
      run: this.#wasReady ? "again" : "first",
      exec: (command) => this.launchBeside(command),
      onReady: (ready, problem) => this.#setReady(ready === "ready", problem),
      onDead: (problem, { terminationGracePeriodSeconds }) => {
        this.#problem = problem;
        this.#restart(terminationGracePeriodSeconds);
      },
    });
  }

  /**
   * A command of a probe, or of somebody who looks into the container. It is shut in as the container is: whatever it runs
   * may be the container's own doing.
   *
   * @throws Error when it does not run
   */
  launchBeside(command: ContainerLaunch["command"]): EnclosedLaunch {
    if (this.#launch === undefined) throw new Error("it does not run");
    return this.#options.enclose({ ...this.#launch, command });
  }

  #setReady(ready: boolean, problem: string | undefined): void {
    this.#problem = problem;
    this.#wasReady ||= ready;
    if (ready === this.#ready) return;
    this.#ready = ready;
    this.#options.onReadiness();
  }
}
