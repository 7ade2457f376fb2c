/**
 * A mesh on this machine: a control plane process and pods, kept running, and kept in step with the resources. Nothing
 * serves before it may.
 */
import { DEFAULT_CLUSTER_NAME } from "../api/remote-cluster.ts";
import type { Resource } from "../api/resource.ts";
import { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import type { ControlPlaneSettings, RunningNow } from "../control/control-plane-messages.ts";
import type { RefusedResource } from "../control/refused-resources.ts";
import type { WrittenText } from "../control/written-texts.ts";
import { buildSnapshot } from "../policy/mesh-snapshot.ts";
import type { PodTurn } from "../policy/plan-workloads.ts";
import type { IpAddresses, Workload } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { ControlPlaneProcess } from "./control-plane-process.ts";
import type { DataDirectory } from "./data-directory.ts";
import { type GatewayAddress, gatewayAddresses, withOutcomes } from "./gateway-addresses.ts";
import { isJoined } from "./joining/joined-resources.ts";
import { type JoinedResources, JoinedWorkloads } from "./joining/joined-workloads.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { type MeshLock, takeMeshLock } from "./mesh-lock.ts";
import { type MeshPlan, type PlannedPod, planMesh } from "./mesh-plan.ts";
import { type MeshState, readMeshState } from "./mesh-state.ts";
import { MeshStateWriter } from "./mesh-state-writer.ts";
import type { PublishOutcome } from "./network/host-side.ts";
import type { NamespaceNetwork, NetworkState } from "./network/namespace-network.ts";
import { isOrdered, replaceInOrder } from "./ordered-replacement.ts";
import { keyOf, PodUids, podFingerprint } from "./pod-identity.ts";
import { PodTurns, placeOf } from "./pod-turns.ts";
import { checkLaunches } from "./pods/check-launches.ts";
import type { DataPlane } from "./pods/data-plane.ts";
import { Pod, type PodContext, type TokenRequest } from "./pods/pod.ts";
import { startsReady } from "./pods/pod-container.ts";
import { PortAllocator } from "./port-allocator.ts";
import { endLeftovers } from "./processes/leftover-processes.ts";
import type { ProcessEvent, SupervisedProcess } from "./processes/supervised-process.ts";
import { type Replacement, RollingReplacement } from "./rolling-replacement.ts";
import { RunningPods } from "./running-pods.ts";

const TOKEN_LIFETIME_MS = 60 * 60_000;

export interface LocalMeshOptions {
  readonly dataDirectory: DataDirectory;
  /** How to start this program: the interpreter, its flags and the entry file. */
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: (event: MeshEvent) => void;
  /** In which each pod has addresses of its own; absent where all share the machine's loopback. It is closed with the mesh. */
  readonly network?: NamespaceNetwork | undefined;
  readonly controlPlane?: ControlPlaneSettings | undefined;
  /** Of pods whose annotations say nothing; absent: our own. */
  readonly dataPlane?: DataPlane | undefined;
  /** Path of Envoy's program; asked only where a pod needs one. @throws HauberkError */
  readonly envoy: () => Promise<string>;
  /** Folder of a custom authority, as far as there is one when the control plane is started; absent: what is set above. */
  readonly cacerts?: () => string | undefined;
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
  readonly #controlPlane: ControlPlaneProcess;
  readonly #pods: RunningPods;
  readonly #uids: PodUids;
  #turns: PodTurns = new PodTurns();
  readonly #rolling: RollingReplacement;
  /** Keys of pods that run as they were planned before, until those above them in their StatefulSet are replaced. */
  #awaitingTurn: Set<string> = new Set();
  /** How often something else was wished of the pods: whoever waits for one of them gives way to it. */
  #wishes = 0;
  readonly #joined: JoinedWorkloads = new JoinedWorkloads();
  readonly #stateFile: MeshStateWriter;
  /** By `namespace/pod`: what was told last of where it is reached. */
  readonly #toldGateways = new Map<string, string>();
  /** What became of what the host is to offer. */
  #published: readonly PublishOutcome[] = [];
  #resources: readonly Resource[];
  #texts: readonly WrittenText[];
  #plan: MeshPlan;
  /** What was said of ports that programs have of their own, as JSON: it is said once. */
  readonly #saidOfPorts = new Set<string>();
  /** Changes are carried out one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();

  private constructor(parts: {
    readonly options: LocalMeshOptions;
    readonly lock: MeshLock;
    readonly tokens: ServiceAccountTokens;
    readonly ports: PortAllocator;
    readonly written: WrittenMesh;
    readonly plan: MeshPlan;
    readonly uids: PodUids;
  }) {
    this.#options = parts.options;
    this.#lock = parts.lock;
    this.#tokens = parts.tokens;
    this.#ports = parts.ports;
    this.#resources = parts.written.resources;
    this.#texts = parts.written.texts;
    this.#plan = parts.plan;
    this.#uids = parts.uids;
    const { dataDirectory, hauberkCommand, random, controlPlane } = parts.options;
    this.#pods = new RunningPods({
      make: (planned, predecessor) => new Pod(planned, this.#podContext(), predecessor),
      report: parts.options.report,
    });
    this.#rolling = new RollingReplacement({
      pods: this.#pods,
      tell: () => this.#tellRunning(),
      onGone: ({ key }) => this.#uids.forget(key),
      isClosing: () => this.#closing !== undefined,
    });
    this.#stateFile = new MeshStateWriter(dataDirectory.meshState, (problem) =>
      this.#tell("mesh.json", { type: "failed", problem }),
    );
    const report = (event: ProcessEvent): void => this.#reportProcess("control plane", event);
    const { controlPlane: listen } = parts.plan;
    this.#controlPlane = new ControlPlaneProcess(
      {
        texts: parts.written.texts,
        dataDirectory,
        hauberkCommand,
        random,
        listen,
        report,
        settings: () => ({ ...givenSettings(parts.options), ...controlPlane }),
        tell: (text) => this.#options.report({ type: "notice", text }),
        onRoots: () => this.#changed(),
        onRefused: () => this.#changed(),
      },
      this.#runningNow,
    );
  }

  /**
   * Starts everything and resolves once every sidecar serves and every application was started.
   *
   * @throws MeshStartError when a mesh already runs in the data directory, or a part does not come up; whatever was
   * started by then has been stopped again
   */
  static async start(options: LocalMeshOptions, written: WrittenMesh): Promise<LocalMesh> {
    await options.dataDirectory.create();
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
    const { dataDirectory, report } = options;
    const ended = await endLeftovers(
      await readMeshState(dataDirectory.meshState),
      dataDirectory.path,
    );
    if (ended.length > 0)
      report({ type: "leftovers-ended", titles: ended.map(({ title }) => title) });
    const [ports, tokens] = await Promise.all([
      PortAllocator.open(dataDirectory.ports),
      ServiceAccountTokens.open(dataDirectory.path),
    ]);
    const uids = new PodUids();
    const addresses = options.network;
    const plan = await planMesh(written.resources, {
      ports,
      uid: (key) => uids.of(key),
      addresses,
      dataPlane: options.dataPlane,
    });
    const mesh = new LocalMesh({ options, lock, tokens, ports, written, plan, uids });
    try {
      await mesh.#checkLaunches(plan.pods);
      await dataDirectory.startLogs();
      report({ type: "planned", workloads: mesh.workloads });
      mesh.#tellSettledPorts();
      await mesh.#startAll();
    } catch (error) {
      await mesh.close();
      throw error;
    }
    return mesh;
  }

  get workloads(): readonly Workload[] {
    return this.#present.map(({ workload, containers }) => {
      const key = keyOf(workload);
      const ready = this.#pods.find(key)?.ready ?? containers.every(startsReady);
      return { ...workload, ready: ready && this.#rolling.mayServe(key) };
    });
  }

  /** Those that are planned, and those that stay until they are replaced. */
  get #present(): readonly PlannedPod[] {
    const planned = this.#plan.pods.map((one) => {
      const key = keyOf(one.workload);
      return (this.#awaitingTurn.has(key) && this.#pods.find(key)?.plan) || one;
    });
    return [...planned, ...this.#rolling.old.map(({ plan }) => plan)];
  }

  /** Why what the files say now is not in force; undefined when it is. Whoever reads them says so. */
  refusedChange: string | undefined;

  /** All that is written of the mesh; what joined processes stand for is not among it. */
  get texts(): readonly WrittenText[] {
    return this.#texts;
  }

  get pods(): readonly Pod[] {
    return this.#pods.all;
  }

  /** Whether it is not as it is planned now: it runs until another has taken its place, or until it is made anew. */
  isOutdated({ key, plan: { workload } }: Pod): boolean {
    const planned = this.#plan.pods.find((one) => keyOf(one.workload) === key);
    return planned?.workload.uid !== workload.uid;
  }

  /** Those of the files, and of processes that joined. */
  get resources(): readonly Resource[] {
    return this.#allResources;
  }

  /** Whether each pod has addresses and ports of its own. */
  get podsHaveNetworks(): boolean {
    return this.#options.network !== undefined;
  }

  /** `address:port` */
  get controlPlaneAddress(): string {
    const { address, port } = this.#plan.controlPlane;
    return `${address}:${port}`;
  }

  /** Of services, by `namespace/name`; empty where pods share the machine's loopback. */
  get serviceAddresses(): Readonly<Record<string, IpAddresses>> {
    return this.#plan.serviceAddresses ?? {};
  }

  /** What is not in force everywhere, because proxies refuse it. */
  get refusedResources(): readonly RefusedResource[] {
    return this.#controlPlane.refused;
  }

  /** PEM of every root that is trusted now; undefined before the control plane served for the first time. */
  get rootPem(): string | undefined {
    return this.#controlPlane.rootPem;
  }

  get controlPlane(): SupervisedProcess {
    return this.#controlPlane.process;
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
    return this.#enqueue(async (isWanted) => {
      const before = this.#resources;
      this.#resources = resources;
      let change: PlannedChange;
      try {
        change = await this.#planChange();
      } catch (error) {
        this.#resources = before;
        throw error;
      }
      const carriedOut = this.#carryOut(change, isWanted);
      takenUp();
      await carriedOut;
    });
  }

  /** Tells the control plane what is written now: what is to be allowed waits for nothing that has to be started. */
  announce({ texts }: WrittenMesh): void {
    this.#wishes++;
    this.#texts = texts;
    this.#controlPlane.tellTexts(texts);
  }

  /**
   * Whether that could be done, as far as it can be known before.
   *
   * @throws MeshPlanError, and whatever else `planMesh` throws
   */
  async check({ resources }: WrittenMesh): Promise<void> {
    const { network: addresses, dataPlane } = this.#options;
    const uid = (key: string): string => this.#uids.of(key);
    const all = [...resources, ...this.#joined.beside(resources)];
    const turn = (place: string): PodTurn => this.#turns.of(place);
    const ports = this.#ports.trial(); // what is refused, or only tried, takes nobody's port away
    const plan = await planMesh(all, { ports, uid, addresses, turn, dataPlane });
    await this.#checkLaunches(plan.pods, all);
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

  /** Stops applications, then sidecars, then the control plane. */
  close(): Promise<void> {
    this.#closing ??= this.#stopAll();
    return this.#closing;
  }

  async #startAll(): Promise<void> {
    await this.#startNetwork();
    // Sidecars load while the control plane does; they wait for their bootstrap.
    const outcomes = await Promise.allSettled([
      this.#startControlPlane(),
      ...this.#plan.pods
        .filter((planned) => this.#pods.mayStart(planned))
        .map((planned) => this.#pods.start(planned)),
    ]);
    await this.#pods.startHeld(() => this.#plan.pods);
    await this.#writeState();
    throwFirstFailure(outcomes);
    this.#tellGateways();
  }

  /** Where the gateway that runs as this workload is reached; empty for any other. */
  gatewayAddresses(workload: Workload): readonly GatewayAddress[] {
    if (!workload.gateway) return [];
    const { workloads } = this;
    const { serviceAddresses } = this.#plan;
    const published = withOutcomes(this.#plan.published, this.#published);
    const resources = this.#allResources;
    const snapshot = buildSnapshot({ resources, workloads, rootsPem: [], serviceAddresses });
    return gatewayAddresses(workload, { snapshot, published });
  }

  #tellGateways(): void {
    for (const { workload } of this.#plan.pods) {
      if (!workload.gateway) continue;
      const pod = keyOf(workload);
      const addresses = this.gatewayAddresses(workload);
      const text = JSON.stringify(addresses);
      if (this.#toldGateways.get(pod) === text) continue;
      this.#toldGateways.set(pod, text);
      this.#options.report({ type: "gateway-serves", pod, addresses });
    }
  }

  async #startNetwork(): Promise<void> {
    const { network, report } = this.#options;
    if (network === undefined) return;
    await network.start(this.#networkState, {
      report: (event) => this.#reportProcess("gateway", event),
      onPublished: (ports) => {
        this.#published = ports;
        report({ type: "published", ports });
        if (this.#toldGateways.size > 0) this.#tellGateways();
      },
    });
  }

  get #networkState(): NetworkState {
    const { published, serviceAddresses = {} } = this.#plan;
    const { workloads } = this;
    const pods = this.#present;
    return { pods, workloads, resources: this.#allResources, serviceAddresses, published };
  }

  /** Pods that are about to be started, asked what they would start; among resources that may not be in force yet. */
  async #checkLaunches(
    planned: readonly PlannedPod[],
    resources: readonly Resource[] = this.#allResources,
  ): Promise<void> {
    const needsEnvoy = planned.some(
      ({ workload, dataPlane }) => workload.injected && dataPlane === "envoy",
    );
    if (needsEnvoy) await this.#options.envoy();
    const context = { ...this.#podContext(), resources: () => resources };
    await checkLaunches(
      planned.flatMap((one) =>
        one.containers.map((container) => ({
          container,
          launch: () => new Pod(one, context).launch(container),
        })),
      ),
    );
  }

  async #startControlPlane(): Promise<void> {
    await this.#controlPlane.start();
    const { listen } = await this.#controlPlane.address;
    this.#options.report({ type: "control-plane-ready", listen });
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

  /** Makes a pod anew. @param key `namespace/name` */
  replace(key: string): Promise<void> {
    this.#uids.renew(key);
    return this.#change();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #readinessChanged(): void {
    this.#changed();
    void this.#tellRunning();
    if (!this.#plan.pods.some(({ startsAfter }) => startsAfter !== undefined)) return;
    this.#inTurn(() => this.#pods.startHeld(() => this.#plan.pods)).catch((error: unknown) =>
      this.#reportProcess("StatefulSet", { type: "failed", problem: describeError(error) }),
    );
  }

  get #cluster(): string {
    return this.#options.controlPlane?.cluster ?? DEFAULT_CLUSTER_NAME;
  }

  #podContext(): PodContext {
    const { dataDirectory, hauberkCommand, random } = this.#options;
    return {
      dataDirectory,
      hauberkCommand,
      random,
      cluster: this.#cluster,
      controlPlane: () => this.#controlPlane.address,
      network: this.#options.network,
      envoy: this.#options.envoy,
      serviceAddresses: () => this.#plan.serviceAddresses ?? {},
      issueToken: (workload, what) => this.#issueToken(workload, what),
      resources: () => this.#allResources,
      workloads: () => this.workloads,
      onReadiness: () => this.#readinessChanged(),
      onPlaced: (title, rewrites) =>
        this.#options.report({ type: "files-placed", title, rewrites }),
      report: (title, event) => this.#reportProcess(title, event),
    };
  }

  #tellSettledPorts(): void {
    for (const owner of this.#plan.settled) {
      const said = JSON.stringify({ ...owner, source: undefined });
      if (this.#saidOfPorts.has(said)) continue;
      this.#saidOfPorts.add(said);
      this.#options.report({ type: "ports-settled", owner });
    }
  }

  #change(): Promise<void> {
    return this.#enqueue(async (isWanted) => this.#carryOut(await this.#planChange(), isWanted));
  }

  /** @param work is told how to find out whether something else is wished by now */
  #enqueue(work: (isWanted: () => boolean) => Promise<void>): Promise<void> {
    const wish = ++this.#wishes;
    return this.#inTurn(() => work(() => this.#wishes === wish && this.#closing === undefined));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const change = this.#changes.then(() => (this.#closing === undefined ? work() : undefined));
    this.#changes = change.catch(() => {}); // the caller hears of it; the next change must still come
    return change;
  }

  /** Says what would change, and throws when it cannot be done: nothing has been touched by then. */
  async #planChange(): Promise<PlannedChange> {
    this.#joined.dismissDisplaced(this.#resources);
    const resources = this.#allResources;
    const { network: addresses, dataPlane } = this.#options;
    const uid = (key: string): string => this.#uids.of(key);
    const common = { ports: this.#ports, uid, addresses, dataPlane };
    const planWith = (turns: PodTurns): Promise<MeshPlan> =>
      planMesh(resources, { ...common, turn: (place) => turns.of(place) });
    const first = await planWith(this.#turns);
    await this.#checkLaunches(first.pods);
    const changed = first.pods.filter((planned) => this.#isChanged(planned));
    const rolled = changed.filter((planned) => this.#mayRoll(planned, first));
    const replaced = changed.filter((planned) => !rolled.includes(planned));
    for (const { workload } of replaced) this.#uids.renew(keyOf(workload));
    const turns = this.#turns.flipped(rolled.map(({ workload }) => placeOf(workload)));
    const plan = changed.length > 0 ? await planWith(turns) : first;
    return { plan, turns, replaced: new Set(replaced.map(({ workload }) => keyOf(workload))) };
  }

  /**
   * Whether the pod that runs can stay until another is ready in its place. Not where it has ports that there are once, nor
   * where it is to go itself, or serves nobody anyway.
   */
  #mayRoll({ workload, source, surge }: PlannedPod, { settled }: MeshPlan): boolean {
    const running = this.#pods.find(keyOf(workload));
    const title = `Deployment ${workload.namespace}/${workload.owner}`;
    return (
      running?.ready === true &&
      running.plan.workload.uid === workload.uid &&
      this.#rolling.mayServe(running.key) &&
      surge !== undefined &&
      !isJoined(source) &&
      !(workload.gateway === true && this.#options.network === undefined) &&
      !settled.some((owner) => owner.title === title)
    );
  }

  async #carryOut(
    { plan, turns, replaced }: PlannedChange,
    isWanted: () => boolean,
  ): Promise<void> {
    this.#plan = plan;
    this.#turns = turns.among(new Set(plan.pods.map(({ workload }) => placeOf(workload))));
    const rolled = this.#replacements();
    this.#rolling.begin(rolled);
    const ordered = plan.pods.filter(
      (planned) => isOrdered(planned) && this.#isReplaced(planned, replaced),
    );
    this.#awaitingTurn = new Set(ordered.map(({ workload }) => keyOf(workload)));
    this.#tellSettledPorts();
    this.#options.network?.retain(this.#networkState);
    const told = this.#tellRunning();
    const wanted = new Map(this.#plan.pods.map((planned) => [keyOf(planned.workload), planned]));
    const staying = new Set(rolled.map(({ old }) => old.key));
    const gone = this.#pods.all.filter(({ key }) => !wanted.has(key) && !staying.has(key));
    const ends = await Promise.allSettled(gone.map((pod) => this.#pods.stop(pod)));
    for (const pod of gone) this.#uids.forget(pod.key);
    const later = new Set(rolled.map(({ planned }) => keyOf(planned.workload)));
    const starts = [...wanted].map(async ([key, planned]) => {
      const running = this.#pods.find(key);
      if (running === undefined && later.has(key)) return;
      if (running !== undefined && !replaced.has(key)) return running.refreshFiles();
      if (running !== undefined && isOrdered(planned)) return;
      if (running !== undefined) await this.#pods.stop(running);
      await told; // it takes over an address: everybody's rules must know whose it is by then
      if (planned.startsAfter === undefined) await this.#pods.start(planned, running);
    });
    const outcomes = await Promise.allSettled(starts);
    await this.#pods.startHeld(() => this.#plan.pods); // not before: those that they wait for must be the new ones
    await told; // a new one has to be known before it comes
    const rolls = await Promise.allSettled([
      ...byOwner(rolled, ({ planned }) => planned).map((some) =>
        this.#rolling.carryOut(some, { surge: some[0]?.planned.surge ?? 1, isWanted }),
      ),
      ...byOwner(ordered, (planned) => planned).map((some) =>
        replaceInOrder(some, {
          pods: this.#pods,
          isWanted,
          onTurn: ({ workload }) => {
            this.#awaitingTurn.delete(keyOf(workload));
            return this.#tellRunning();
          },
        }),
      ),
    ]);
    await this.#writeState();
    this.#changed();
    throwFirstFailure([...ends, ...outcomes, ...rolls]);
    await this.#options.network?.update(this.#networkState); // in force is what the kernel knows
    this.#tellGateways();
  }

  #isReplaced({ workload }: PlannedPod, replaced: ReadonlySet<string>): boolean {
    const key = keyOf(workload);
    return replaced.has(key) && this.#pods.find(key) !== undefined;
  }

  /** Pods that run, and what is planned in their places under another name. */
  #replacements(): readonly Replacement[] {
    const planned = new Map(this.#plan.pods.map((one) => [placeOf(one.workload), one]));
    return this.#pods.all.flatMap((old) => {
      const next = planned.get(placeOf(old.plan.workload));
      return next === undefined || keyOf(next.workload) === old.key ? [] : { old, planned: next };
    });
  }

  /** Whether a running pod would be made otherwise now. */
  #isChanged(planned: PlannedPod): boolean {
    const running = this.#pods.find(keyOf(planned.workload));
    return running !== undefined && podFingerprint(running.plan) !== podFingerprint(planned);
  }

  get #allResources(): readonly Resource[] {
    return [...this.#resources, ...this.#joined.beside(this.#resources)];
  }

  /** Whoever enforces something hears of it: the control plane, and the network. */
  async #tellRunning(): Promise<void> {
    this.#controlPlane.tell(this.#runningNow);
    try {
      await this.#options.network?.update(this.#networkState);
    } catch (error) {
      this.#reportProcess("network", { type: "failed", problem: describeError(error) });
    }
  }

  get #runningNow(): RunningNow {
    const { serviceAddresses } = this.#plan;
    const running = { workloads: this.workloads, resources: this.#joined.beside(this.#resources) };
    return serviceAddresses === undefined ? running : { ...running, serviceAddresses };
  }

  #reportProcess(title: string, event: ProcessEvent): void {
    if (this.#closing !== undefined) return;
    this.#tell(title, event);
    this.#changed();
    if (event.type === "started") void this.#writeState();
  }

  #tell(title: string, event: ProcessEvent): void {
    this.#options.report({ type: "process", title, event });
  }

  #writeState(): Promise<void> {
    return this.#stateFile.write(() => this.#state);
  }

  #issueToken(
    { namespace, name, uid, serviceAccount }: Workload,
    what?: TokenRequest,
  ): Promise<string> {
    return this.#tokens.issue({
      namespace,
      podName: name,
      podUid: uid,
      serviceAccount,
      now: this.#options.clock.now(),
      lifetimeMs: TOKEN_LIFETIME_MS,
      ...what,
    });
  }

  get #state(): MeshState {
    const { network, dataDirectory } = this.#options;
    const all = [
      this.#controlPlane.process,
      ...(network?.processes ?? []),
      ...this.pods.flatMap(({ processes }) => processes),
    ];
    return {
      format: 2,
      supervisor: identifyProcess(process.pid) ?? { processId: process.pid, startedAt: "" },
      cluster: this.#cluster,
      controlPlane: this.controlPlaneAddress,
      socket: dataDirectory.socket,
      workloads: this.workloads,
      processes: all.flatMap(({ title, processId }) => {
        const identity = processId === undefined ? undefined : identifyProcess(processId);
        return identity === undefined ? [] : [{ title, ...identity }];
      }),
    };
  }

  async #stopAll(): Promise<void> {
    await this.#changes;
    try {
      const ends = await Promise.allSettled(this.pods.map((pod) => pod.stop()));
      await this.#controlPlane.process.stop();
      await this.#options.network?.close();
      await this.#writeState();
      throwFirstFailure(ends);
    } finally {
      await this.#ports.release();
      await this.#lock.release();
    }
  }
}

function givenSettings({ cacerts, network }: LocalMeshOptions): ControlPlaneSettings {
  const folder = cacerts?.();
  return {
    ...(folder !== undefined && { cacerts: folder }),
    ...(network !== undefined && { outside: network.wayOut }),
  };
}

interface PlannedChange {
  readonly plan: MeshPlan;
  readonly turns: PodTurns;
  /** Keys of the pods that run now and have to be made anew. */
  readonly replaced: ReadonlySet<string>;
}

function byOwner<T>(
  replacements: readonly T[],
  plannedOf: (one: T) => PlannedPod,
): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const one of replacements) {
    const { namespace, owner, ownerKind } = plannedOf(one).workload;
    const key = `${ownerKind} ${namespace}/${owner}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function throwFirstFailure(outcomes: readonly PromiseSettledResult<void>[]): void {
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
