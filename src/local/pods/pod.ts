/**
 * One pod on this machine: its sidecar, if it has one, and its containers as processes. The sidecar serves before an
 * application starts and stays until the last one has ended.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container } from "../../api/container.ts";
import type { Resource } from "../../api/resource.ts";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import type { Workload } from "../../policy/workload.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { ControlPlaneAddress } from "../control-plane-process.ts";
import type { DataDirectory } from "../data-directory.ts";
import { isJoined } from "../joining/joined-resources.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { MeshProcess, ProcessPlan } from "../processes/mesh-process.ts";
import { firstReport, ownProcessPlan } from "../processes/own-process.ts";
import { type ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import { applicationEnvironment, type EnvironmentInputs } from "./application-environment.ts";
import type { PathRewrite } from "./container-files.ts";
import { type ContainerLaunch, planContainerLaunch } from "./container-launch.ts";
import { PodContainer } from "./pod-container.ts";

export interface PodContext {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** Where the control plane serves, once it does. */
  readonly controlPlane: () => Promise<ControlPlaneAddress>;
  readonly issueToken: (workload: Workload) => Promise<string>;
  readonly resources: () => readonly Resource[];
  readonly workloads: () => readonly Workload[];
  readonly report: (title: string, event: ProcessEvent) => void;
  /** Called when the pod becomes ready, or ceases to be. */
  readonly onReadiness: () => void;
  /** Called when paths of a manifest are elsewhere on this machine. */
  readonly onPlaced: (title: string, rewrites: readonly PathRewrite[]) => void;
  readonly random: () => number;
}

/** Half of a token's longest life. */
const TOKEN_REFRESH_MS = 30 * 60_000;

/** Whoever joined has ended by then: nothing is left to wait for. */
const JOINED_GRACE_MS = 500;

export class Pod {
  readonly plan: PlannedPod;
  readonly sidecar: SupervisedProcess | undefined;
  readonly containers: readonly PodContainer[];
  readonly #context: PodContext;
  readonly #proxyPassword: string;
  #tokenTimer: NodeJS.Timeout | undefined;
  /** Of processes that somebody else started and that belong to the pod. */
  #joinedProcessIds: readonly number[];
  #sidecarReport: Deferred<SidecarReport> = createDeferred();

  /** @param predecessor whose place it takes: a process that joined goes on with what it was told then */
  constructor(plan: PlannedPod, context: PodContext, predecessor?: Pod) {
    this.plan = plan;
    this.#context = context;
    const told = isJoined(plan.source) ? predecessor : undefined;
    this.#proxyPassword =
      told === undefined ? randomBytes(24).toString("base64url") : told.#proxyPassword;
    this.#joinedProcessIds = told?.joinedProcessIds ?? [];
    this.sidecar = plan.workload.injected ? this.#superviseSidecar() : undefined;
    this.containers = plan.containers.map((container) => this.#containerOf(container));
  }

  get key(): string {
    return `${this.plan.workload.namespace}/${this.plan.workload.name}`;
  }

  get processes(): readonly SupervisedProcess[] {
    const containers = this.containers.map((container) => container.process);
    return this.sidecar === undefined ? containers : [this.sidecar, ...containers];
  }

  /** Whether all its containers are; a pod of processes that joined always is. */
  get ready(): boolean {
    return this.containers.every(({ ready }) => ready);
  }

  /**
   * Resolves once the sidecar serves and every container was started.
   *
   * @throws MeshStartError
   */
  async start(): Promise<void> {
    const scratch = this.#context.dataDirectory.scratch(this.plan.workload);
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    this.#tokenTimer = setInterval(() => this.#refreshToken(), TOKEN_REFRESH_MS).unref();
    await this.sidecar?.start();
    await Promise.all(this.containers.map((container) => container.process.start()));
    if (this.plan.backoffLimit !== undefined) void this.#endWithApplication();
  }

  /** Writes the files of its volumes anew, as what they are made of may have changed. */
  async refreshFiles(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.refreshFiles()));
  }

  /** Stops the applications first: they may still call others on their way out. */
  async stop(): Promise<void> {
    clearInterval(this.#tokenTimer);
    await Promise.all(this.containers.map((container) => container.stop()));
    await this.sidecar?.stop();
    const scratch = this.#context.dataDirectory.scratch(this.plan.workload);
    await rm(scratch, { recursive: true, force: true });
  }

  get joinedProcessIds(): readonly number[] {
    return this.#joinedProcessIds;
  }

  /** Processes started elsewhere are, from now on, this pod's application. */
  adopt(processIds: readonly number[]): void {
    this.#joinedProcessIds = processIds;
    this.#tellApplication();
  }

  /**
   * What a container of this pod is started as.
   *
   * @throws NoCommandError, MissingVolumeDataError, MissingVariableDataError
   */
  launch(container: Container): ContainerLaunch {
    const resources = this.#context.resources();
    return planContainerLaunch(
      { pod: this.plan, container },
      { ...this.#surroundings(), resources },
    );
  }

  /**
   * What the mesh tells a process of this pod, without what the manifest sets.
   *
   * @param inherited the environment it would have without the mesh
   */
  environment(
    container: Container,
    inherited: EnvironmentInputs["inherited"] = process.env,
  ): Record<string, string> {
    const { workload } = this.plan;
    return applicationEnvironment({ ...this.#surroundings(), inherited, workload, container });
  }

  #surroundings(): Omit<EnvironmentInputs, "workload" | "container"> {
    const { workload } = this.plan;
    const { dataDirectory, workloads, resources } = this.#context;
    return {
      services: resources().filter((resource) => resource.kind === "Service"),
      workloads: workloads(),
      ...(workload.injected ? { proxyPassword: this.#proxyPassword } : {}),
      temporaryDirectory: dataDirectory.scratch(workload),
      inherited: process.env,
    };
  }

  /** A finished Job has no further use for its sidecar. */
  async #endWithApplication(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.process.finished()));
    await this.sidecar?.stop();
  }

  #superviseSidecar(): SupervisedProcess {
    const title = `${this.key} sidecar`;
    return new SupervisedProcess({
      title,
      restart: "always",
      random: this.#context.random,
      plan: async () => this.#planSidecar(title),
      prepare: (started) => this.#bootstrap(started),
      report: (event) => this.#context.report(title, event),
    });
  }

  #planSidecar(title: string): ProcessPlan {
    const answer = createDeferred<SidecarReport>();
    this.#sidecarReport = answer;
    return ownProcessPlan({
      title,
      hauberkCommand: this.#context.hauberkCommand,
      command: "sidecar",
      logDirectory: this.#logs,
      output: "access.log",
      errors: "sidecar.log",
      ...(isJoined(this.plan.source) ? { graceMs: JOINED_GRACE_MS } : {}),
      receive: (message) => answer.resolve(message as SidecarReport),
    });
  }

  async #bootstrap(started: MeshProcess): Promise<void> {
    const { workload, sidecar, adminPort = 0 } = this.plan;
    const { listen, rootPem } = await this.#context.controlPlane();
    const bootstrap: SidecarInstruction = {
      type: "bootstrap",
      namespace: workload.namespace,
      name: workload.name,
      token: await this.#context.issueToken(workload),
      rootPem,
      controlPlane: listen,
      adminPort,
      proxyPassword: this.#proxyPassword,
      ...sidecar,
    };
    started.send(bootstrap);
    const log = join(this.#logs, "sidecar.log");
    await firstReport(started, { answer: this.#sidecarReport.promise, log });
    this.#tellApplication();
  }

  #containerOf(container: Container): PodContainer {
    const title = `${this.key} ${container.name}`;
    return new PodContainer({
      pod: this.plan,
      container,
      launch: () => this.launch(container),
      logDirectory: this.#logs,
      random: this.#context.random,
      onReadiness: this.#context.onReadiness,
      onPlaced: (rewrites) => this.#context.onPlaced(title, rewrites),
      report: (event) => {
        this.#tellApplication();
        this.#context.report(title, event);
      },
    });
  }

  get #logs(): string {
    return this.#context.dataDirectory.logs(this.plan.workload);
  }

  #tellApplication(): void {
    const own = this.containers.flatMap((container) => container.process.processId ?? []);
    const instruction: SidecarInstruction = {
      type: "application",
      processIds: [...own, ...this.#joinedProcessIds],
    };
    this.sidecar?.send(instruction);
  }

  #refreshToken(): void {
    const { issueToken, report } = this.#context;
    issueToken(this.plan.workload).then(
      (token) => this.sidecar?.send({ type: "token", token } satisfies SidecarInstruction),
      (error: unknown) =>
        report(`${this.key} token`, { type: "failed", problem: describeError(error) }),
    );
  }
}
