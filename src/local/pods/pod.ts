/**
 * One pod on this machine: its sidecar, if it has one, and its containers as processes. The sidecar serves before an
 * application starts and stays until the last one has ended.
 */
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Container } from "../../api/container.ts";
import type { Resource } from "../../api/resource.ts";
import { API_AUDIENCE } from "../../ca/service-account-tokens.ts";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import type { IpAddresses, SocketAddress, Workload } from "../../policy/workload.ts";

import { systemClock } from "../../runtime/clock.ts";
import { watchClockJumps } from "../../runtime/clock-jump.ts";
import { createDeferred, type Deferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { ControlPlaneAddress } from "../control-plane-process.ts";
import type { DataDirectory } from "../data-directory.ts";
import { folderOf } from "../folder-of.ts";
import { isJoined } from "../joining/joined-resources.ts";
import type { JoinedNetwork } from "../joining/mesh-socket-messages.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { PodNetwork } from "../network/mesh-fabric.ts";
import { SHARED_FOLDER_DESCRIPTOR } from "../network/mesh-ranges.ts";
import type { NamespaceNetwork } from "../network/namespace-network.ts";
import { NetworkNotStartedError } from "../network/network-knowledge.ts";
import { connectInside } from "../network/network-namespace-socket.ts";
import { withDescendants } from "../processes/descendants.ts";
import type { MeshProcess, ProcessPlan } from "../processes/mesh-process.ts";
import { firstReport, ownEnvironment } from "../processes/own-process.ts";
import { envoyAgentProcessPlan, sidecarProcessPlan } from "../processes/sidecar-process.ts";
import { type ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import { applicationEnvironment, type EnvironmentInputs } from "./application-environment.ts";
import type { PlannedCredential } from "./container-files.ts";
import { type ContainerLaunch, planContainerLaunch } from "./container-launch.ts";
import { type EnclosedLaunch, PodContainer } from "./pod-container.ts";
import { probedPlace } from "./probed-place.ts";
import { memoryOf } from "./process-memory.ts";
import { type ProxylessPlace, proxylessPlace, removeProxyless } from "./proxyless-place.ts";
import type { PathRewrite } from "./rewrite-paths.ts";
import {
  prepareSidecarAdmin,
  removeSidecarAdmin,
  type SidecarAdminPlace,
  sidecarAdminPlace,
} from "./sidecar-admin-place.ts";
import {
  prepareWorkloadApi,
  removeWorkloadApi,
  type WorkloadApiPlace,
  workloadApiPlace,
} from "./workload-api-place.ts";
import type { FileWriter } from "./write-container-files.ts";

export interface PodContext {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  /** What the mesh calls itself (CA-3). */
  readonly cluster: string;
  /** Where the control plane serves, once it does. */
  readonly controlPlane: () => Promise<ControlPlaneAddress>;
  /** In which each pod has namespaces of its own; absent where all share the machine's loopback. */
  readonly network: NamespaceNetwork | undefined;
  /** Of services, by `namespace/name`; empty where all share the machine's loopback. */
  readonly serviceAddresses: () => Readonly<Record<string, IpAddresses>>;
  /** @param what absent: for the certificate service, for as long as a token may live */
  readonly issueToken: (workload: Workload, what?: TokenRequest) => Promise<string>;
  /** Path of Envoy's program, for pods beside which one stands. @throws MeshPlanError */
  readonly envoy: () => Promise<string>;
  readonly resources: () => readonly Resource[];
  readonly workloads: () => readonly Workload[];
  readonly report: (title: string, event: ProcessEvent) => void;
  /** Called when the pod becomes ready, or ceases to be. */
  readonly onReadiness: () => void;
  /** Called when paths of a manifest are elsewhere on this machine. */
  readonly onPlaced: (title: string, rewrites: readonly PathRewrite[]) => void;
  readonly random: () => number;
}

export interface TokenRequest {
  readonly audience: string;
  readonly lifetimeMs: number;
}

/** Half of a token's longest life. */
const TOKEN_REFRESH_MS = 30 * 60_000;

/** Mode of the folder that a container has as /tmp; on the machine the folders around it are closed. */
const ANYBODYS = 0o1777;

/** The network that this process is in. */
const OWN_NAMESPACE = "/proc/self/ns/net";

/** Whoever joined has ended by then: nothing is left to wait for. */
const JOINED_GRACE_MS = 500;

export class Pod {
  readonly plan: PlannedPod;
  readonly sidecar: SupervisedProcess | undefined;
  readonly containers: readonly PodContainer[];
  readonly #context: PodContext;
  readonly #proxyPassword: string;
  readonly #workloadApi: WorkloadApiPlace | undefined;
  readonly #proxyless: ProxylessPlace | undefined;
  readonly #admin: SidecarAdminPlace;
  #network: PodNetwork | undefined;
  #tokenTimer: NodeJS.Timeout | undefined;
  #stopWatchingClock: (() => void) | undefined;
  /** Of processes that somebody else started and that belong to the pod. */
  #joinedProcessIds: readonly number[];
  /** First processes of what somebody runs in its containers. */
  readonly #commandProcessIds: Set<number> = new Set();
  #sidecarReport: Deferred<SidecarReport> = createDeferred();

  /** @param predecessor whose place it takes: a process that joined goes on with what it was told then */
  constructor(plan: PlannedPod, context: PodContext, predecessor?: Pod) {
    this.plan = plan;
    this.#context = context;
    const told = isJoined(plan.source) ? predecessor : undefined;
    this.#proxyPassword =
      told === undefined ? randomBytes(24).toString("base64url") : told.#proxyPassword;
    this.#joinedProcessIds = told?.joinedProcessIds ?? [];
    const { dataDirectory, network } = context;
    const where = { dataDirectory, user: network?.user };
    this.#workloadApi = workloadApiPlace(plan, where);
    this.#proxyless = proxylessPlace(plan, where);
    this.#admin = sidecarAdminPlace(plan.workload, where);
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
    const { dataDirectory, network } = this.#context;
    const { workload } = this.plan;
    await rm(dataDirectory.pod(workload), { recursive: true, force: true });
    await mkdir(dataDirectory.scratch(workload), { recursive: true, mode: 0o700 });
    await removeSidecarAdmin(this.#admin);
    if (workload.injected) await prepareSidecarAdmin(this.#admin, network?.user);
    if (network !== undefined) await this.#enterNetwork(network);
    this.#tokenTimer = setInterval(() => this.#refreshToken(), TOKEN_REFRESH_MS).unref();
    this.#stopWatchingClock = watchClockJumps(systemClock, () => this.#refreshToken());
    await this.sidecar?.start();
    const starts = this.containers.map((container) => container.process.start());
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    if (this.plan.backoffLimit === undefined) return;
    this.#endWithApplication().catch((error: unknown) =>
      this.#context.report(`${this.key} sidecar`, {
        type: "failed",
        problem: describeError(error),
      }),
    );
  }

  async #enterNetwork(network: NamespaceNetwork): Promise<void> {
    const { dataDirectory } = this.#context;
    const { applicationUser: user } = network.enclosures;
    const scratch = dataDirectory.scratch(this.plan.workload);
    await chmod(scratch, ANYBODYS);
    if (user !== undefined) await chown(scratch, user.uid, user.gid);
    await prepareWorkloadApi(this.#shared, network.user);
    await network.enclosures.writePodFiles(this.plan, this.#context.resources());
    this.#network = await network.openPod(this.plan);
  }

  /** Writes the files of its volumes anew, as what they are made of may have changed. */
  async refreshFiles(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.refreshFiles()));
  }

  /** Stops the applications first: they may still call others on their way out. */
  async stop(): Promise<void> {
    clearInterval(this.#tokenTimer);
    this.#stopWatchingClock?.();
    await Promise.all(this.containers.map((container) => container.stop()));
    await this.sidecar?.stop();
    const { dataDirectory, network } = this.#context;
    if (this.#network !== undefined) await network?.closePod(this.#network);
    this.#network = undefined;
    if (this.#workloadApi) await removeWorkloadApi(this.#workloadApi);
    if (this.#proxyless) await removeProxyless(this.#proxyless);
    await removeSidecarAdmin(this.#admin);
    await rm(dataDirectory.pod(this.plan.workload), { recursive: true, force: true });
  }

  /** A connection from within the pod, as its own programs make it: no sidecar stands in between. */
  connect(address: SocketAddress): Socket {
    return this.#context.network === undefined
      ? connect({ host: address.address, port: address.port })
      : connectInside(this.#ownNetwork.path, address);
  }

  /** The socket of its sidecar's administration, also of one that is not ready; undefined while there is none to ask. */
  get adminSocket(): string | undefined {
    return this.sidecar?.processId === undefined ? undefined : this.#admin.path;
  }

  /** Of all its processes, in bytes; undefined where the system does not tell. */
  async memory(): Promise<number | undefined> {
    const first = this.processes.flatMap(({ processId }) => processId ?? []);
    const all = await Promise.all(first.map(withDescendants));
    const sizes = await Promise.all(all.flat().map(memoryOf));
    const known = sizes.filter((size) => size !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, size) => sum + size, 0);
  }

  /** Where a program that joined must run; undefined where all share the machine's loopback. */
  get joinedNetwork(): JoinedNetwork | undefined {
    const processId = this.sidecar?.phase === "running" ? this.sidecar.processId : undefined;
    if (processId === undefined) return undefined;
    return this.#context.network?.enclosures.joinedNetwork(this.plan.workload, processId);
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
   * A command that somebody runs in a container is the pod's own for as long as it runs.
   *
   * @returns what forgets it
   */
  admitCommand(processId: number): () => void {
    this.#commandProcessIds.add(processId);
    this.#tellApplication();
    return () => {
      this.#commandProcessIds.delete(processId);
      this.#tellApplication();
    };
  }

  /**
   * What a container of this pod is started as.
   *
   * @throws NoCommandError, MissingVolumeDataError, MissingVariableDataError
   */
  launch(container: Container): ContainerLaunch {
    const { dataDirectory, network, resources } = this.#context;
    const { namespace, name } = this.plan.workload;
    return planContainerLaunch(
      { pod: this.plan, container },
      {
        ...this.#surroundings(),
        resources: resources(),
        podFolder: dataDirectory.pod(this.plan.workload),
        claimFolder: (volume) => dataDirectory.claim({ namespace, name: `${volume}-${name}` }),
        paths: network === undefined ? "rewritten" : "mounted",
      },
    );
  }

  /**
   * What a command is started as that is to see what the sidecar sees, and whose connections no sidecar takes. Where those
   * of the sidecar are told by a mark, which only itself can set, it is started on the mesh's router.
   *
   * @throws NetworkNotStartedError
   */
  launchBesideSidecar(command: ContainerLaunch["command"]): EnclosedLaunch {
    const { network, dataDirectory } = this.#context;
    const surroundings = {
      environment: ownEnvironment(),
      workingDirectory: network === undefined ? dataDirectory.scratch(this.plan.workload) : "/",
    };
    if (network === undefined) return { command, ...surroundings };
    const place = network.user === "root" ? this.#ownNetwork : { path: OWN_NAMESPACE };
    const enclosed = network.enclosures.encloseSidecar(command, place, []);
    return { command: enclosed, ...surroundings };
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
    const { dataDirectory, network, workloads, resources, serviceAddresses } = this.#context;
    return {
      serviceAddresses: serviceAddresses(),
      services: resources().filter((resource) => resource.kind === "Service"),
      workloads: workloads(),
      ...(workload.injected ? { proxyPassword: this.#proxyPassword } : {}),
      ...(this.#workloadApi && { workloadApi: this.#workloadApi.applicationPath }),
      ...(this.#proxyless && { grpcBootstrap: this.#proxyless.bootstrapPath }),
      temporaryDirectory: network === undefined ? dataDirectory.scratch(workload) : "/tmp",
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
    const planOf = this.plan.dataPlane === "envoy" ? envoyAgentProcessPlan : sidecarProcessPlan;
    const plan = planOf({
      title,
      hauberkCommand: this.#context.hauberkCommand,
      parameters: ["--concurrency", `${this.plan.sidecar.concurrency}`],
      logDirectory: this.#logs,
      output: "access.log",
      errors: "sidecar.log",
      accessLog: "istio-access.log",
      ...(isJoined(this.plan.source) ? { graceMs: JOINED_GRACE_MS } : {}),
      receive: (message) => this.#hearSidecar(message as SidecarReport, answer),
    });
    const { network } = this.#context;
    if (network === undefined) return plan;
    const { enclosures } = network;
    const { shared } = this.#shared;
    const folders = [
      ...(this.#admin.open === undefined ? [] : [this.#admin.open]),
      ...(shared ? [{ source: shared.source, descriptor: SHARED_FOLDER_DESCRIPTOR }] : []),
    ];
    const command = enclosures.encloseSidecar(plan.command, this.#ownNetwork, folders);
    return { ...plan, command };
  }

  #hearSidecar(report: SidecarReport, answer: Deferred<SidecarReport>): void {
    if (report.type === "restarted") this.sidecar?.countInnerRestart(report.problem);
    else answer.resolve(report);
  }

  async #bootstrap(started: MeshProcess): Promise<void> {
    const { workload, adminPort = 0 } = this.plan;
    const { concurrency: _, ...sidecar } = this.plan.sidecar;
    const { network } = this.#context;
    const { listen, rootPem } = await this.#context.controlPlane();
    const bootstrap: SidecarInstruction = {
      type: "bootstrap",
      namespace: workload.namespace,
      name: workload.name,
      token: await this.#context.issueToken(workload),
      rootPem,
      controlPlane: listen,
      cluster: this.#context.cluster,
      adminPort,
      adminSocket: this.#admin.sidecarPath,
      proxyPassword: this.#proxyPassword,
      ...sidecar,
      ...(this.plan.dataPlane === "envoy" && { envoy: await this.#context.envoy() }),
      ...(network && workload.addresses && { capture: network.capture(workload.addresses) }),
      ...(this.#workloadApi && { workloadApi: this.#workloadApi.settings }),
      ...(this.#proxyless && { proxyless: this.#proxyless.settings }),
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
      probed: probedPlace(this.plan, {
        fromWithin: (address) => this.connect(address),
        fromOutside: ({ address: host, port }) => connect({ host, port }),
      }),
      writer: { owner: this.#fileOwner, make: (credential) => this.#makeCredential(credential) },
      enclose: (launch) => this.#enclose(launch),
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

  /** The folder that sidecar and containers have in common; none where all share the machine's files. */
  get #shared(): Pick<WorkloadApiPlace, "shared"> {
    return this.#workloadApi ?? this.#proxyless ?? {};
  }

  get #fileOwner(): FileWriter["owner"] {
    return this.#context.network?.enclosures.applicationUser;
  }

  async #makeCredential(wanted: PlannedCredential["credential"]): Promise<string> {
    const { controlPlane, issueToken } = this.#context;
    if (wanted.kind === "root-certificate") return (await controlPlane()).rootPem;
    const { audience = API_AUDIENCE, lifetimeSeconds } = wanted;
    return issueToken(this.plan.workload, { audience, lifetimeMs: lifetimeSeconds * 1000 });
  }

  /** What is really started for a container: in a pod with namespaces of its own, its program inside them. */
  #enclose(launch: ContainerLaunch): EnclosedLaunch {
    const { network, resources } = this.#context;
    if (network === undefined) return launch;
    const visible = [folderOf(this.plan.source)];
    return network.enclosures.encloseContainer(launch, {
      pod: this.#ownNetwork,
      planned: this.plan,
      resources: resources(),
      visible,
      ...this.#shared,
    });
  }

  /** Nothing of a pod that is to have a network of its own runs without it. */
  get #ownNetwork(): PodNetwork {
    if (this.#network !== undefined) return this.#network;
    throw new NetworkNotStartedError(`the pod ${this.key} has no network`);
  }

  get #logs(): string {
    return this.#context.dataDirectory.logs(this.plan.workload);
  }

  #tellApplication(): void {
    const own = this.containers.flatMap((container) => container.process.processId ?? []);
    const instruction: SidecarInstruction = {
      type: "application",
      processIds: [...own, ...this.#joinedProcessIds, ...this.#commandProcessIds],
    };
    this.sidecar?.send(instruction);
  }

  /** Made on this machine from a key that does not expire: a sidecar that slept through everything can prove itself. */
  #refreshToken(): void {
    const { controlPlane, issueToken, report } = this.#context;
    const { sidecar } = this;
    if (sidecar === undefined) return;
    Promise.all([issueToken(this.plan.workload), controlPlane()]).then(
      ([token, { rootPem }]) =>
        sidecar.send({ type: "token", token, rootPem } satisfies SidecarInstruction),
      (error: unknown) =>
        report(`${this.key} token`, { type: "failed", problem: describeError(error) }),
    );
  }
}
