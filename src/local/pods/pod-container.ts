/** One container of a pod: its process, kept running, and what its probes say. */
import type { Container } from "../../api/container.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { ProcessPlan } from "../processes/mesh-process.ts";
import { type ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import type { ContainerFiles } from "./container-files.ts";
import { type ContainerHealth, watchContainerHealth } from "./container-health.ts";
import type { ContainerLaunch } from "./container-launch.ts";
import type { ProbedPlace } from "./probed-place.ts";
import type { PathRewrite } from "./rewrite-paths.ts";
import { type FileWriter, writeContainerFiles } from "./write-container-files.ts";

/** A program that ignores SIGTERM does not hold up everybody for Kubernetes' 30 seconds. */
const MAX_GRACE_MS = 10_000;

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
  readonly random: () => number;
}

/** Files of the sidecar in the same folder: what an application prints must not pass for its decisions. */
const SIDECAR_LOGS = ["access", "sidecar"];

/** In the folder of its pod's logs. */
export function logFileOf({ name }: Container): string {
  return SIDECAR_LOGS.includes(name) ? `container-${name}.log` : `${name}.log`;
}

/** Whether it counts as ready before any probe has said so: only where none is asked for. */
export function startsReady({ readinessProbe, startupProbe }: Container): boolean {
  return readinessProbe === undefined && startupProbe === undefined;
}

export class PodContainer {
  readonly process: SupervisedProcess;
  readonly #options: PodContainerOptions;
  #health: ContainerHealth | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #stopped = false;
  #placed = false;
  /** What runs now was started as. */
  #launch: ContainerLaunch | undefined;
  #ready: boolean;
  #wasReady = false;
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

  /** @throws MissingVolumeDataError */
  async refreshFiles(): Promise<void> {
    await writeContainerFiles(this.#options.launch().files, this.#options.writer);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#renewal);
    this.#health?.stop();
    await this.process.stop();
  }

  async #plan(): Promise<ProcessPlan> {
    const { container, logDirectory, pod } = this.#options;
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
      graceMs: Math.min(pod.template.terminationGracePeriodSeconds * 1000, MAX_GRACE_MS),
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
      this.refreshFiles().catch((error: unknown) =>
        this.#options.report({ type: "failed", problem: describeError(error) }),
      );
    }, everyMs).unref();
  }

  #report(event: ProcessEvent): void {
    this.#health?.stop();
    if (!startsReady(this.#options.container)) this.#setReady(false, this.#problem);
    if (event.type === "started" && !this.#stopped) this.#health = this.#watch();
    this.#options.report(event);
  }

  #watch(): ContainerHealth {
    const { container, probed } = this.#options;
    return watchContainerHealth({
      container,
      place: probed,
      run: this.#wasReady ? "again" : "first",
      exec: (command) => this.launchBeside(command),
      onReady: (ready, problem) => this.#setReady(ready === "ready", problem),
      onDead: (problem) => {
        this.#problem = problem;
        this.process
          .restart()
          .catch((error: unknown) =>
            this.#options.report({ type: "failed", problem: describeError(error) }),
          );
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
