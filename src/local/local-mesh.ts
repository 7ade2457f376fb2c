/**
 * A mesh on this machine: what is wished of it, by files and by processes that join, and that what runs comes in step
 * with it. Nothing serves before it may.
 */
import type { Resource } from "../api/resource.ts";
import type { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import type { RefusedResource } from "../control/refused-resources.ts";
import type { WrittenText } from "../control/written-texts.ts";
import type { IpAddresses, Workload } from "../policy/workload.ts";
import { ChangePlanner } from "./change-planner.ts";
import { ChangeQueue } from "./change-queue.ts";
import type { GatewayAddress } from "./gateway-addresses.ts";
import { isJoined } from "./joining/joined-resources.ts";
import { type JoinedResources, JoinedWorkloads } from "./joining/joined-workloads.ts";
import { beginMesh, type MeshBeginning } from "./mesh-beginning.ts";
import { type MeshLock, takeMeshLock } from "./mesh-lock.ts";
import type { DataPlane } from "./pods/data-plane.ts";
import type { Pod } from "./pods/pod.ts";
import type { PortAllocator } from "./port-allocator.ts";
import type { PlannedChange } from "./present-pods.ts";
import type { SupervisedProcess } from "./processes/supervised-process.ts";
import { RunningMesh, type RunningMeshOptions } from "./running-mesh.ts";

export interface LocalMeshOptions extends RunningMeshOptions {
  /** Of pods whose annotations say nothing; absent: our own. */
  readonly dataPlane?: DataPlane | undefined;
}

/** What is written of the mesh: as texts for the control plane, and what they say for the rest. */
export interface WrittenMesh {
  readonly texts: readonly WrittenText[];
  /** Free of issues. */
  readonly resources: readonly Resource[];
}

export class LocalMesh {
  readonly #options: LocalMeshOptions;
  readonly #lock: MeshLock;
  readonly #tokens: ServiceAccountTokens;
  readonly #ports: PortAllocator;
  readonly #joined: JoinedWorkloads = new JoinedWorkloads();
  readonly #changes: ChangeQueue = new ChangeQueue();
  readonly #running: RunningMesh;
  readonly #planner: ChangePlanner;
  readonly #listeners = new Set<() => void>();
  #resources: readonly Resource[];
  #texts: readonly WrittenText[];
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    readonly options: LocalMeshOptions;
    readonly lock: MeshLock;
    readonly written: WrittenMesh;
    readonly beginning: MeshBeginning;
  }) {
    const { options, written, beginning } = parts;
    const { tokens, placement } = beginning;
    this.#options = options;
    this.#lock = parts.lock;
    this.#tokens = tokens;
    this.#ports = placement.ports;
    this.#resources = written.resources;
    this.#texts = written.texts;
    const running = new RunningMesh({
      options,
      beginning,
      texts: written.texts,
      resources: () => this.resources,
      joined: () => this.#joined.beside(this.#resources),
      changes: this.#changes,
      onChange: () => this.#changed(),
    });
    this.#running = running;
    this.#planner = new ChangePlanner({
      placement,
      present: running.present,
      checkLaunches: (planned, resources) => running.checkLaunches(planned, resources),
    });
  }

  /**
   * Starts everything and resolves once every sidecar serves and every application was started.
   *
   * @throws MeshStartError when a mesh already runs in the data directory, or a part does not come up; whatever was
   * started by then has been stopped again
   */
  static async start(options: LocalMeshOptions, written: WrittenMesh): Promise<LocalMesh> {
    const lock = await takeMeshLock(options.dataDirectory.lock);
    try {
      return await LocalMesh.#startLocked(options, { written, lock });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  static async #startLocked(
    options: LocalMeshOptions,
    { written, lock }: { readonly written: WrittenMesh; readonly lock: MeshLock },
  ): Promise<LocalMesh> {
    const { dataDirectory, report, network: addresses, dataPlane } = options;
    const settings = { dataDirectory, report, addresses, dataPlane };
    const beginning = await beginMesh(written.resources, settings);
    const mesh = new LocalMesh({ options, lock, written, beginning });
    try {
      await mesh.#running.checkLaunches(beginning.plan.pods, written.resources);
      await dataDirectory.startLogs();
      report({ type: "planned", workloads: mesh.workloads });
      await mesh.#running.start();
    } catch (error) {
      await mesh.close();
      throw error;
    }
    return mesh;
  }

  get workloads(): readonly Workload[] {
    return this.#running.present.workloads;
  }

  /** Why what the files say now is not in force; undefined when it is. Whoever reads them says so. */
  refusedChange: string | undefined;

  /** All that is written of the mesh; what joined processes stand for is not among it. */
  get texts(): readonly WrittenText[] {
    return this.#texts;
  }

  get pods(): readonly Pod[] {
    return this.#running.present.running.all;
  }

  /** Whether it is not as it is planned now: it runs until another has taken its place, or until it is made anew. */
  isOutdated(pod: Pod): boolean {
    return this.#running.present.isOutdated(pod);
  }

  /** Those of the files, and of processes that joined. */
  get resources(): readonly Resource[] {
    return this.#withJoined(this.#resources);
  }

  /** Whether each pod has addresses and ports of its own. */
  get podsHaveNetworks(): boolean {
    return this.#options.network !== undefined;
  }

  /** `address:port` */
  get controlPlaneAddress(): string {
    return this.#running.controlPlaneAddress;
  }

  /** Of services, by `namespace/name`; empty where pods share the machine's loopback. */
  get serviceAddresses(): Readonly<Record<string, IpAddresses>> {
    return this.#running.present.plan.serviceAddresses ?? {};
  }

  /** What is not in force everywhere, because proxies refuse it. */
  get refusedResources(): readonly RefusedResource[] {
    return this.#running.controlPlane.refused;
  }

  /** PEM of every root that is trusted now; undefined before the control plane served for the first time. */
  get rootPem(): string | undefined {
    return this.#running.controlPlane.rootPem;
  }

  get controlPlane(): SupervisedProcess {
    return this.#running.controlPlane.process;
  }

  /** Where the gateway that runs as this workload is reached; empty for any other. */
  gatewayAddresses(workload: Workload): readonly GatewayAddress[] {
    return this.#running.notices.gatewayAddresses(workload);
  }

  /** Calls `listener` whenever anything that runs may be otherwise, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A token for whoever may speak for any service account of the mesh. @throws TokenLifetimeError */
  issueAccountToken(
    wish: Omit<Parameters<ServiceAccountTokens["issueFor"]>[0], "now">,
  ): Promise<string> {
    return this.#tokens.issueFor({ ...wish, now: this.#options.clock.now() });
  }

  /**
   * Brings what runs in step with what is written now.
   *
   * @param takenUp called when it is clear what is to be done, before anything is
   * @throws MeshPlanError when something of it cannot be started: then everything stays as it was
   */
  apply(written: WrittenMesh, takenUp: () => void = () => {}): Promise<void> {
    const { resources } = written;
    this.announce(written);
    return this.#changes.change(async (isWanted) => {
      const before = this.#resources;
      this.#resources = resources;
      let change: PlannedChange;
      try {
        change = await this.#planChange();
      } catch (error) {
        this.#resources = before;
        throw error;
      }
      const carriedOut = this.#running.carryOut(change, isWanted);
      takenUp();
      await carriedOut;
    });
  }

  /** Tells the control plane what is written now: what is to be allowed waits for nothing that has to be started. */
  announce({ texts }: WrittenMesh): void {
    this.#changes.wish();
    this.#texts = texts;
    this.#running.controlPlane.tellTexts(texts);
  }

  /**
   * Whether that could be done, as far as it can be known before.
   *
   * @throws MeshPlanError, and whatever else `planMesh` throws
   */
  check({ resources }: WrittenMesh): Promise<void> {
    return this.#planner.check(this.#withJoined(resources));
  }

  /**
   * Adds resources that are in no file, for a process that joins, and returns once their pod serves.
   *
   * @param name `namespace/owner` of its workload, under which `leave` takes them away again
   */
  async join(name: string, joined: JoinedResources): Promise<void> {
    this.#joined.set(name, joined);
    try {
      await this.#change();
    } catch (error) {
      if (this.joinedPod(name)?.sidecar?.phase === "running") return; // it was another pod that failed
      await Promise.allSettled([this.leave(name)]);
      throw error;
    }
  }

  /** Its pod ends at once, whatever else is being changed. */
  async leave(name: string): Promise<void> {
    const pod = this.joinedPod(name);
    this.#joined.delete(name);
    await Promise.all([pod?.stop(), this.#change()]);
  }

  joinedPod(name: string): Pod | undefined {
    return this.pods.find(
      ({ plan: { workload, source } }) =>
        isJoined(source) && `${workload.namespace}/${workload.owner}` === name,
    );
  }

  /** Makes a pod anew. @param key `namespace/name` */
  replace(key: string): Promise<void> {
    this.#running.present.uids.renew(key);
    return this.#change();
  }

  /** Stops applications, then sidecars, then the control plane. */
  close(): Promise<void> {
    this.#closing ??= this.#stopAll();
    return this.#closing;
  }

  #withJoined(written: readonly Resource[]): readonly Resource[] {
    return [...written, ...this.#joined.beside(written)];
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #change(): Promise<void> {
    return this.#changes.change(async (isWanted) =>
      this.#running.carryOut(await this.#planChange(), isWanted),
    );
  }

  /** Says what would change, and throws when it cannot be done: nothing has been touched by then. */
  #planChange(): Promise<PlannedChange> {
    this.#joined.dismissDisplaced(this.#resources);
    return this.#planner.plan(this.resources);
  }

  async #stopAll(): Promise<void> {
    await this.#changes.close();
    try {
      await this.#running.stop();
    } finally {
      await this.#ports.release();
      await this.#lock.release();
    }
  }
}
