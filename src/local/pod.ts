/**
 * One pod on this machine: its sidecar, if it has one, and its containers as processes. The sidecar serves before an
 * application starts and stays until the last one has ended.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container } from "../api/deployment.ts";
import type { Service } from "../api/service.ts";
import type { SidecarInstruction, SidecarReport } from "../policy/sidecar-bootstrap.ts";
import type { Workload } from "../policy/workload.ts";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { applicationEnvironment } from "./application-environment.ts";
import type { ControlPlaneAddress } from "./control-plane-process.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { PlannedPod } from "./mesh-plan.ts";
import type { MeshProcess, ProcessPlan } from "./mesh-process.ts";
import { firstReport, MeshStartError, ownProcessPlan } from "./own-process.ts";
import { type ProcessEvent, SupervisedProcess } from "./supervised-process.ts";

export interface PodContext {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** Where the control plane serves, once it does. */
  readonly controlPlane: () => Promise<ControlPlaneAddress>;
  readonly issueToken: (workload: Workload) => Promise<string>;
  readonly services: () => readonly Service[];
  readonly workloads: () => readonly Workload[];
  readonly report: (title: string, event: ProcessEvent) => void;
  readonly random: () => number;
}

/** Half of a token's longest life. */
const TOKEN_REFRESH_MS = 30 * 60_000;

export class Pod {
  readonly plan: PlannedPod;
  readonly sidecar: SupervisedProcess | undefined;
  readonly containers: readonly SupervisedProcess[];
  readonly #context: PodContext;
  readonly #proxyPassword: string = randomBytes(24).toString("base64url");
  readonly #tokenTimer: NodeJS.Timeout | undefined;
  /** Of processes that somebody else started and that belong to the pod. */
  #joinedProcessIds: readonly number[] = [];
  #sidecarReport: Deferred<SidecarReport> = createDeferred();

  constructor(plan: PlannedPod, context: PodContext) {
    this.plan = plan;
    this.#context = context;
    this.sidecar = plan.workload.injected ? this.#superviseSidecar() : undefined;
    this.containers = plan.containers.map((container) => this.#superviseContainer(container));
    if (this.sidecar !== undefined) {
      this.#tokenTimer = setInterval(() => this.#refreshToken(), TOKEN_REFRESH_MS).unref();
    }
  }

  get key(): string {
    return `${this.plan.workload.namespace}/${this.plan.workload.name}`;
  }

  get processes(): readonly SupervisedProcess[] {
    return this.sidecar === undefined ? this.containers : [this.sidecar, ...this.containers];
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
    await this.sidecar?.start();
    await Promise.all(this.containers.map((container) => container.start()));
  }

  /** Stops the applications first: they may still call others on their way out. */
  async stop(): Promise<void> {
    clearInterval(this.#tokenTimer);
    await Promise.all(this.containers.map((container) => container.stop()));
    await this.sidecar?.stop();
  }

  /** Processes started elsewhere are, from now on, this pod's application. */
  adopt(processIds: readonly number[]): void {
    this.#joinedProcessIds = processIds;
    this.#tellApplication();
  }

  /** What a process of this pod has in its environment. */
  environment(container: Container): Record<string, string> {
    const { workload } = this.plan;
    const { dataDirectory, services, workloads } = this.#context;
    return applicationEnvironment({
      workload,
      container,
      services: services(),
      workloads: workloads(),
      ...(workload.injected ? { proxyPassword: this.#proxyPassword } : {}),
      temporaryDirectory: dataDirectory.scratch(workload),
      inherited: process.env,
    });
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

  #superviseContainer(container: Container): SupervisedProcess {
    const title = `${this.key} ${container.name}`;
    return new SupervisedProcess({
      title,
      restart: "always",
      random: this.#context.random,
      plan: async () => this.#planContainer(title, container),
      report: (event) => {
        if (event.type === "started") this.#tellApplication();
        this.#context.report(title, event);
      },
    });
  }

  #planContainer(title: string, container: Container): ProcessPlan {
    const [file, ...parameters] = [...container.command, ...container.args];
    if (file === undefined) throw new MeshStartError(`${title} has no command to run`);
    const output = `${container.name}.log`;
    return {
      title,
      command: [file, ...parameters],
      environment: this.environment(container),
      workingDirectory: container.workingDir ?? dirname(this.plan.deployment.meta.source.file),
      logDirectory: this.#logs,
      output,
      errors: output,
      pipe: "none",
    };
  }

  get #logs(): string {
    return this.#context.dataDirectory.logs(this.plan.workload);
  }

  #tellApplication(): void {
    const own = this.containers.flatMap(({ processId }) => processId ?? []);
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
