/**
 * A mesh on this machine: a control plane process, a sidecar process beside each injected application, and the
 * applications themselves, started in an order in which nothing serves before it may.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container } from "../api/deployment.ts";
import type { Resource } from "../api/resource.ts";
import { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import type {
  ControlPlaneInstruction,
  ControlPlaneReport,
} from "../control/control-plane-messages.ts";
import type { SidecarInstruction, SidecarReport } from "../policy/sidecar-bootstrap.ts";
import type { Workload } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { applicationEnvironment } from "./application-environment.ts";
import type { DataDirectory } from "./data-directory.ts";
import { type MeshPlan, type PlannedPod, planMesh } from "./mesh-plan.ts";
import { MeshProcess, type ProcessExit } from "./mesh-process.ts";
import { isRunning, readMeshState, writeMeshState } from "./mesh-state.ts";
import { LOOPBACK } from "./port-allocator.ts";

/** A token lives an hour at the most; a fresh one is handed over at half of that. */
const TOKEN_LIFETIME_MS = 60 * 60_000;
const START_TIMEOUT_MS = 20_000;

/** A part of the mesh did not come up, or a mesh already runs in the data directory. */
export class MeshStartError extends HauberkError {
  readonly code = "HAUBERK_MESH_START";
}

export type MeshEvent =
  | { readonly type: "planned"; readonly workloads: readonly Workload[] }
  | { readonly type: "control-plane-ready"; readonly listen: string }
  | { readonly type: "sidecar-ready"; readonly workload: Workload }
  | {
      readonly type: "application-started";
      readonly workload: Workload;
      readonly container: string;
    }
  | { readonly type: "process-ended"; readonly title: string; readonly exit: ProcessExit };

export interface LocalMeshOptions {
  readonly paths: readonly string[];
  /** What `paths` say; already free of issues. */
  readonly resources: readonly Resource[];
  readonly dataDirectory: DataDirectory;
  /** How to start this program: the interpreter, its flags and the entry file. */
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly report: (event: MeshEvent) => void;
}

export class LocalMesh {
  readonly #options: LocalMeshOptions;
  readonly #plan: MeshPlan;
  readonly #tokens: ServiceAccountTokens;
  /** In the order in which they were started. */
  readonly #processes: MeshProcess[] = [];
  readonly #tokenTimers: NodeJS.Timeout[] = [];
  #closing: Promise<void> | undefined;

  private constructor(options: LocalMeshOptions, plan: MeshPlan, tokens: ServiceAccountTokens) {
    this.#options = options;
    this.#plan = plan;
    this.#tokens = tokens;
  }

  /**
   * Starts everything and resolves once every sidecar serves and every application was started.
   *
   * @throws MeshStartError when a mesh already runs in the data directory, or a part does not come up; whatever was
   * started by then has been stopped again
   */
  static async start(options: LocalMeshOptions): Promise<LocalMesh> {
    const { dataDirectory, resources } = options;
    await dataDirectory.create();
    await refuseSecondMesh(dataDirectory);
    await dataDirectory.startLogs();
    const [plan, tokens] = await Promise.all([
      planMesh(resources, dataDirectory.ports),
      ServiceAccountTokens.open(dataDirectory.path),
    ]);
    options.report({ type: "planned", workloads: plan.pods.map(({ workload }) => workload) });
    const mesh = new LocalMesh(options, plan, tokens);
    try {
      await mesh.#startAll();
    } catch (error) {
      await mesh.close();
      throw error;
    }
    return mesh;
  }

  get workloads(): readonly Workload[] {
    return this.#plan.pods.map(({ workload }) => workload);
  }

  adminPort({ namespace, name }: Workload): number | undefined {
    return this.#plan.pods.find(
      ({ workload }) => workload.namespace === namespace && workload.name === name,
    )?.adminPort;
  }

  /** Stops applications, then sidecars, then the control plane. */
  close(): Promise<void> {
    this.#closing ??= this.#stopAll();
    return this.#closing;
  }

  async #startAll(): Promise<void> {
    // Sidecars load while the control plane does; they wait for their bootstrap.
    const controlPlane = this.#startControlPlane();
    const { pods } = this.#plan;
    const running = pods.map((pod) =>
      pod.workload.injected ? this.#startInjected(pod, controlPlane) : this.#startApplication(pod),
    );
    const [{ listen }] = await Promise.all([controlPlane, ...running]);
    await writeMeshState(this.#options.dataDirectory.meshState, {
      format: 1,
      supervisor: process.pid,
      controlPlane: listen,
      workloads: this.workloads,
      processes: this.#processes.map(({ title, processId }) => ({ title, processId })),
    });
  }

  async #startControlPlane(): Promise<{ listen: string; rootPem: string }> {
    const { dataDirectory, paths, report } = this.#options;
    const answer = createDeferred<ControlPlaneReport>();
    const process = await this.#startOwnProcess({
      title: "control plane",
      command: "control-plane",
      logDirectory: dirname(dataDirectory.controlPlaneLog),
      output: "control-plane.out.log",
      errors: "control-plane.log",
      receive: (message) => answer.resolve(message as ControlPlaneReport),
    });
    const start: ControlPlaneInstruction = {
      type: "start",
      paths,
      dataDirectory: dataDirectory.path,
      address: LOOPBACK,
      port: this.#plan.controlPlanePort,
      workloads: this.workloads,
    };
    process.send(start);
    const ready = await this.#waitFor(process, answer.promise, dataDirectory.controlPlaneLog);
    if (ready.type === "failed") throw new MeshStartError(`the control plane: ${ready.problem}`);
    report({ type: "control-plane-ready", listen: ready.listen });
    return ready;
  }

  async #startInjected(
    pod: PlannedPod,
    controlPlane: Promise<{ listen: string; rootPem: string }>,
  ): Promise<void> {
    const { workload, adminPort = 0 } = pod;
    const { certificateLifetimeSeconds } = pod.sidecar;
    const proxyPassword = randomBytes(24).toString("base64url");
    const logDirectory = this.#options.dataDirectory.logs(workload);
    const ready = createDeferred<SidecarReport>();
    const sidecar = await this.#startOwnProcess({
      title: `${workload.namespace}/${workload.name} sidecar`,
      command: "sidecar",
      logDirectory,
      output: "access.log",
      errors: "sidecar.log",
      receive: (message) => ready.resolve(message as SidecarReport),
    });
    const { listen, rootPem } = await controlPlane;
    const instruct = (instruction: SidecarInstruction): void => sidecar.send(instruction);
    instruct({
      type: "bootstrap",
      namespace: workload.namespace,
      name: workload.name,
      token: await this.#issueToken(workload),
      rootPem,
      controlPlane: listen,
      adminPort,
      proxyPassword,
      certificateLifetimeSeconds,
    });
    this.#keepTokenFresh(workload, instruct);
    await this.#waitFor(sidecar, ready.promise, join(logDirectory, "sidecar.log"));
    this.#options.report({ type: "sidecar-ready", workload });
    const processIds = await this.#startApplication(pod, proxyPassword);
    instruct({ type: "application", processIds });
  }

  async #startApplication(pod: PlannedPod, proxyPassword?: string): Promise<number[]> {
    const scratch = this.#options.dataDirectory.scratch(pod.workload);
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const started = pod.containers.map(async (container) => {
      const process = await this.#startContainer({ pod, container, scratch, proxyPassword });
      const { workload } = pod;
      this.#options.report({ type: "application-started", workload, container: container.name });
      return process.processId;
    });
    return Promise.all(started);
  }

  async #startContainer(what: {
    readonly pod: PlannedPod;
    readonly container: Container;
    readonly scratch: string;
    readonly proxyPassword: string | undefined;
  }): Promise<MeshProcess> {
    const { pod, container, scratch, proxyPassword } = what;
    const { workload, deployment } = pod;
    const title = `${workload.namespace}/${workload.name} ${container.name}`;
    const [file, ...parameters] = [...container.command, ...container.args];
    if (file === undefined) throw new MeshStartError(`${title} has no command to run`);
    return this.#adopt(
      await MeshProcess.start({
        title,
        command: [file, ...parameters],
        environment: applicationEnvironment({
          workload,
          container,
          services: this.#plan.services,
          workloads: this.workloads,
          ...(proxyPassword === undefined ? {} : { proxyPassword }),
          temporaryDirectory: scratch,
          inherited: process.env,
        }),
        workingDirectory: container.workingDir ?? dirname(deployment.meta.source.file),
        logDirectory: this.#options.dataDirectory.logs(workload),
        output: `${container.name}.log`,
        errors: `${container.name}.log`,
        pipe: "none",
      }),
    );
  }

  async #startOwnProcess(what: {
    readonly title: string;
    readonly command: string;
    readonly logDirectory: string;
    readonly output: string;
    readonly errors: string;
    readonly receive: (message: unknown) => void;
  }): Promise<MeshProcess> {
    const { command, ...rest } = what;
    return this.#adopt(
      await MeshProcess.start({
        ...rest,
        command: [...this.#options.hauberkCommand, command],
        environment: ownEnvironment(),
        workingDirectory: process.cwd(),
        pipe: "json-lines",
      }),
    );
  }

  #adopt(started: MeshProcess): MeshProcess {
    this.#processes.push(started);
    void started.exit.then((exit) => {
      if (this.#closing === undefined) {
        this.#options.report({ type: "process-ended", title: started.title, exit });
      }
    });
    return started;
  }

  async #waitFor<T>(started: MeshProcess, answer: Promise<T>, log: string): Promise<T> {
    const timeout = new AbortController();
    const late = new Promise<never>((_, reject) => {
      const fail = (what: string): void =>
        reject(new MeshStartError(`${started.title} ${what}; see ${log}`));
      const timer = setTimeout(
        () => fail(`was not ready after ${START_TIMEOUT_MS / 1000} s`),
        START_TIMEOUT_MS,
      );
      timeout.signal.addEventListener("abort", () => clearTimeout(timer));
      void started.exit.then(({ code, signal }) => fail(`ended with ${signal ?? `code ${code}`}`));
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      timeout.abort();
    }
  }

  #issueToken({ namespace, name, uid, serviceAccount }: Workload): Promise<string> {
    return this.#tokens.issue({
      namespace,
      podName: name,
      podUid: uid,
      serviceAccount,
      now: this.#options.clock.now(),
      lifetimeMs: TOKEN_LIFETIME_MS,
    });
  }

  #keepTokenFresh(workload: Workload, instruct: (instruction: SidecarInstruction) => void): void {
    const timer = setInterval(() => {
      void this.#issueToken(workload).then((token) => instruct({ type: "token", token }));
    }, TOKEN_LIFETIME_MS / 2);
    timer.unref();
    this.#tokenTimers.push(timer);
  }

  async #stopAll(): Promise<void> {
    for (const timer of this.#tokenTimers) clearInterval(timer);
    const isSidecar = ({ title }: MeshProcess): boolean => title.endsWith(" sidecar");
    const isControlPlane = ({ title }: MeshProcess): boolean => title === "control plane";
    const applications = this.#processes.filter((one) => !isSidecar(one) && !isControlPlane(one));
    for (const group of [
      applications,
      this.#processes.filter(isSidecar),
      this.#processes.filter(isControlPlane),
    ]) {
      await Promise.all(group.map((one) => one.stop()));
    }
    await this.#plan.release();
  }
}

async function refuseSecondMesh({ meshState, path }: DataDirectory): Promise<void> {
  const state = await readMeshState(meshState);
  if (state === undefined || state.supervisor === process.pid) return;
  if (
    isRunning(state.supervisor) &&
    state.processes.some(({ processId }) => isRunning(processId))
  ) {
    throw new MeshStartError(
      `a mesh already runs with its data in ${path} (process ${state.supervisor}); stop it, or choose another folder with --data`,
    );
  }
}

/** Our own processes need little of the user's shell, and nothing secret. */
function ownEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
