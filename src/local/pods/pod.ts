/**
 * One pod on this machine: its sidecar, if it has one, and its containers as processes. The sidecar serves before an
 * application starts and stays until the last one has ended.
 */
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import type { Container } from "../../api/container.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { folderOf } from "../folder-of.ts";
import { isJoined } from "../joining/joined-resources.ts";
import type { JoinedNetwork } from "../joining/mesh-socket-messages.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { PodNetwork } from "../network/mesh-fabric.ts";
import type { NamespaceNetwork } from "../network/namespace-network.ts";
import { NetworkNotStartedError } from "../network/network-knowledge.ts";
import { connectInside } from "../network/network-namespace-socket.ts";
import { ownEnvironment } from "../processes/own-process.ts";
import type { SupervisedProcess } from "../processes/supervised-process.ts";
import type { ContainerLaunch } from "./container-launch.ts";
import { type EnclosedLaunch, PodContainer } from "./pod-container.ts";
import type { PodContext } from "./pod-context.ts";
import { type PodPlaces, podPlaces, preparePlaces, removePlaces } from "./pod-places.ts";
import { PodPrograms } from "./pod-programs.ts";
import { PodSidecar } from "./pod-sidecar.ts";
import { probedPlace } from "./probed-place.ts";
import { memoryOfTrees } from "./process-memory.ts";
import { startContainers } from "./start-containers.ts";
import type { FileWriter } from "./write-container-files.ts";

/** Mode of the folder that a container has as /tmp; on the machine the folders around it are closed. */
const ANYBODYS = 0o1777;

/** The network that this process is in. */
const OWN_NAMESPACE = "/proc/self/ns/net";

export class Pod {
  readonly plan: PlannedPod;
  readonly programs: PodPrograms;
  readonly containers: readonly PodContainer[];
  readonly #context: PodContext;
  readonly #proxyPassword: string;
  readonly #places: PodPlaces;
  readonly #sidecar: PodSidecar | undefined;
  #network: PodNetwork | undefined;
  #stopping = false;
  /** Of processes that somebody else started and that belong to the pod. */
  #joinedProcessIds: readonly number[];
  /** First processes of what somebody runs in its containers. */
  readonly #commandProcessIds: Set<number> = new Set();

  /** @param predecessor whose place it takes: a process that joined goes on with what it was told then */
  constructor(plan: PlannedPod, context: PodContext, predecessor?: Pod) {
    this.plan = plan;
    this.#context = context;
    const told = isJoined(plan.source) ? predecessor : undefined;
    this.#proxyPassword =
      told === undefined ? randomBytes(24).toString("base64url") : told.#proxyPassword;
    this.#joinedProcessIds = told?.joinedProcessIds ?? [];
    const { dataDirectory, network } = context;
    this.#places = podPlaces(plan, { dataDirectory, user: network?.user });
    const parts = { plan, context, places: this.#places, proxyPassword: this.#proxyPassword };
    this.programs = new PodPrograms(parts);
    this.#sidecar = plan.workload.injected
      ? new PodSidecar({
          ...parts,
          network: () => this.#ownNetwork,
          applicationProcessIds: () => this.#applicationProcessIds,
        })
      : undefined;
    this.containers = plan.containers.map((container) => this.#containerOf(container));
  }

  get key(): string {
    return `${this.plan.workload.namespace}/${this.plan.workload.name}`;
  }

  get sidecar(): SupervisedProcess | undefined {
    return this.#sidecar?.process;
  }

  get processes(): readonly SupervisedProcess[] {
    const containers = this.containers.map((container) => container.process);
    return this.sidecar === undefined ? containers : [this.sidecar, ...containers];
  }

  /** Whether all its containers are, and it is not on its way out; a pod of processes that joined always is. */
  get ready(): boolean {
    return !this.#stopping && this.containers.every(({ ready }) => ready);
  }

  /**
   * Resolves once the sidecar serves and every container was started, but for those that wait for another's hook.
   *
   * @throws MeshStartError
   */
  async start(): Promise<void> {
    const { dataDirectory, network } = this.#context;
    const { workload } = this.plan;
    await rm(dataDirectory.pod(workload), { recursive: true, force: true });
    await mkdir(dataDirectory.scratch(workload), { recursive: true, mode: 0o700 });
    await preparePlaces(this.#places, { injected: workload.injected, user: network?.user });
    if (network !== undefined) await this.#enterNetwork(network);
    await this.#sidecar?.start();
    const { later } = await startContainers(this.containers);
    const isJob = this.plan.backoffLimit !== undefined;
    later
      .catch((error: unknown) => this.#tellFailed(error))
      .then(() => (isJob ? this.#endWithApplication() : undefined))
      .catch((error: unknown) => this.#tellFailed(error));
  }

  #tellFailed(error: unknown): void {
    if (this.#stopping) return; // nobody waits any more
    this.#context.report(this.key, { type: "failed", problem: describeError(error) });
  }

  async #enterNetwork(network: NamespaceNetwork): Promise<void> {
    const { dataDirectory } = this.#context;
    const { applicationUser: user } = network.enclosures;
    const scratch = dataDirectory.scratch(this.plan.workload);
    await chmod(scratch, ANYBODYS);
    if (user !== undefined) await chown(scratch, user.uid, user.gid);
    await network.enclosures.writePodFiles(this.plan, this.#context.resources());
    this.#network = await network.openPod(this.plan);
  }

  /** Writes the files of its volumes anew, as what they are made of may have changed. */
  async refreshFiles(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.refreshFiles()));
  }

  /** Stops the applications first: they may still call others on their way out. */
  async stop(): Promise<void> {
    const wasReady = this.ready;
    this.#stopping = true;
    if (wasReady && !this.#context.closing.aborted) this.#context.onReadiness();
    await Promise.all(this.containers.map((container) => container.stop()));
    await this.#sidecar?.stop();
    const { dataDirectory, network } = this.#context;
    if (this.#network !== undefined) await network?.closePod(this.#network);
    this.#network = undefined;
    await removePlaces(this.#places);
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
    return this.sidecar?.processId === undefined ? undefined : this.#places.admin.path;
  }

  /** Of all its processes, in bytes; undefined where the system does not tell. */
  memory(): Promise<number | undefined> {
    return memoryOfTrees(this.processes.flatMap(({ processId }) => processId ?? []));
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

  /** A finished Job has no further use for its sidecar. */
  async #endWithApplication(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.process.finished()));
    await this.#sidecar?.stop();
  }

  #containerOf(container: Container): PodContainer {
    const title = `${this.key} ${container.name}`;
    return new PodContainer({
      pod: this.plan,
      container,
      launch: () => this.programs.launch(container),
      probed: probedPlace(this.plan, {
        fromWithin: (address) => this.connect(address),
        fromOutside: ({ address: host, port }) => connect({ host, port }),
      }),
      writer: {
        owner: this.#fileOwner,
        make: (credential) => this.programs.credential(credential),
      },
      enclose: (launch) => this.#enclose(launch),
      logDirectory: this.#logs,
      random: this.#context.random,
      onReadiness: this.#context.onReadiness,
      admit: (processId) => this.admitCommand(processId),
      closing: this.#context.closing,
      onPlaced: (rewrites) => this.#context.onPlaced(title, rewrites),
      report: (event) => {
        this.#tellApplication();
        this.#context.report(title, event);
      },
    });
  }

  get #fileOwner(): FileWriter["owner"] {
    return this.#context.network?.enclosures.applicationUser;
  }

  /** What is really started for a container: in a pod with namespaces of its own, its program inside them. */
  #enclose(launch: ContainerLaunch): EnclosedLaunch {
    const { network, resources } = this.#context;
    if (network === undefined) return launch;
    const { shared } = this.#places;
    const visible = [folderOf(this.plan.source)];
    return network.enclosures.encloseContainer(launch, {
      pod: this.#ownNetwork,
      planned: this.plan,
      resources: resources(),
      visible,
      ...(shared && { shared }),
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

  get #applicationProcessIds(): readonly number[] {
    const own = this.containers.flatMap((container) => container.process.processId ?? []);
    return [...own, ...this.#joinedProcessIds, ...this.#commandProcessIds];
  }

  #tellApplication(): void {
    this.#sidecar?.tellApplication();
  }
}
