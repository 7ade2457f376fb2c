/**
 * What runs of a mesh: its control plane, its pods and their network. Started, brought in step with what is planned,
 * and stopped; whoever enforces something hears of each change.
 */
import { DEFAULT_CLUSTER_NAME } from "../api/remote-cluster.ts";
import type { Resource } from "../api/resource.ts";
import type { ControlPlaneSettings, RunningNow } from "../control/control-plane-messages.ts";
import type { WrittenText } from "../control/written-texts.ts";
import type { Workload } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import { throwFirstFailure } from "../runtime/first-failure.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { carryOutChange } from "./carry-out-change.ts";
import type { ChangeQueue } from "./change-queue.ts";
import { ControlPlaneProcess } from "./control-plane-process.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { MeshBeginning } from "./mesh-beginning.ts";
import type { MeshEvent } from "./mesh-event.ts";
import type { PlannedPod } from "./mesh-plan.ts";
import { meshStateNow } from "./mesh-state.ts";
import { MeshStateWriter } from "./mesh-state-writer.ts";
import type { NamespaceNetwork, NetworkState } from "./network/namespace-network.ts";
import { PlanNotices } from "./plan-notices.ts";
import { checkPods } from "./pods/check-pods.ts";
import { Pod } from "./pods/pod.ts";
import type { PodContext, TokenRequest } from "./pods/pod-context.ts";
import { type PlannedChange, PresentPods } from "./present-pods.ts";
import type { ProcessEvent } from "./processes/supervised-process.ts";
import { RollingReplacement } from "./rolling-replacement.ts";
import { RunningPods } from "./running-pods.ts";

const TOKEN_LIFETIME_MS = 60 * 60_000;

export interface RunningMeshOptions {
  readonly dataDirectory: DataDirectory;
  /** How to start this program: the interpreter, its flags and the entry file. */
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: (event: MeshEvent) => void;
  /** In which each pod has addresses of its own; absent where all share the machine's loopback. It is closed with the mesh. */
  readonly network?: NamespaceNetwork | undefined;
  readonly controlPlane?: ControlPlaneSettings | undefined;
  /** Path of Envoy's program; asked only where a pod needs one. @throws HauberkError */
  readonly envoy: () => Promise<string>;
  /** Folder of a custom authority, as far as there is one when the control plane is started; absent: what is set above. */
  readonly cacerts?: () => string | undefined;
}

export interface RunningMeshParts {
  readonly options: RunningMeshOptions;
  readonly beginning: Pick<MeshBeginning, "tokens" | "uids" | "plan">;
  /** All that is written at first. */
  readonly texts: readonly WrittenText[];
  /** Those that count now. */
  readonly resources: () => readonly Resource[];
  /** Those of them that are in no file. */
  readonly joined: () => readonly Resource[];
  readonly changes: ChangeQueue;
  /** Called whenever anything that runs may be otherwise. */
  readonly onChange: () => void;
}

export class RunningMesh {
  readonly controlPlane: ControlPlaneProcess;
  readonly present: PresentPods;
  readonly notices: PlanNotices;
  readonly #parts: RunningMeshParts;
  readonly #options: RunningMeshOptions;
  readonly #stateFile: MeshStateWriter;

  constructor(parts: RunningMeshParts) {
    this.#parts = parts;
    this.#options = parts.options;
    const { options, resources, changes, onChange } = parts;
    const { uids, plan } = parts.beginning;
    const { dataDirectory, hauberkCommand, random, report } = options;
    const running = new RunningPods({
      make: (planned, predecessor) => new Pod(planned, this.#podContext(resources), predecessor),
      report,
    });
    const rolling = new RollingReplacement({
      pods: running,
      tell: () => this.#tellRunning(),
      onGone: ({ key }) => uids.forget(key),
      isClosing: () => changes.closing.aborted,
    });
    this.present = new PresentPods({ plan, uids, running, rolling });
    this.notices = new PlanNotices({ present: this.present, resources, report });
    this.#stateFile = new MeshStateWriter(dataDirectory.meshState, (problem) =>
      this.#tell("mesh.json", { type: "failed", problem }),
    );
    this.controlPlane = new ControlPlaneProcess(
      {
        texts: parts.texts,
        dataDirectory,
        hauberkCommand,
        random,
        listen: plan.controlPlane,
        report: (event) => this.#reportProcess("control plane", event),
        settings: () => ({ ...givenSettings(options), ...options.controlPlane }),
        tell: (text) => report({ type: "notice", text }),
        onRoots: onChange,
        onRefused: onChange,
      },
      this.#runningNow,
    );
  }

  /** `address:port` */
  get controlPlaneAddress(): string {
    const { address, port } = this.present.plan.controlPlane;
    return `${address}:${port}`;
  }

  /**
   * Whether these pods could be started.
   *
   * @param resources which need not be in force yet
   * @throws MeshPlanError
   */
  checkLaunches(planned: readonly PlannedPod[], resources: readonly Resource[]): Promise<void> {
    return checkPods(
      planned,
      this.#podContext(() => resources),
    );
  }

  /** @throws MeshStartError, FabricError: what was started by then runs, until it is stopped */
  async start(): Promise<void> {
    const { plan, running } = this.present;
    this.notices.tellSettledPorts();
    await this.#options.network?.start(this.#networkState, {
      report: (event) => this.#reportProcess("gateway", event),
      onPublished: (ports) => this.notices.tellPublished(ports),
    });
    // Sidecars load while the control plane does; they wait for their bootstrap.
    const outcomes = await Promise.allSettled([
      this.#startControlPlane(),
      ...plan.pods
        .filter((planned) => running.mayStart(planned))
        .map((planned) => running.start(planned)),
    ]);
    await this.present.startHeld();
    await this.#writeState();
    throwFirstFailure(outcomes);
    this.notices.tellGateways();
  }

  async #startControlPlane(): Promise<void> {
    await this.controlPlane.start();
    const { listen } = await this.controlPlane.address;
    this.#options.report({ type: "control-plane-ready", listen });
  }

  /** @throws MeshStartError, FabricError: whatever else is part of the change is done */
  async carryOut(change: PlannedChange, isWanted: () => boolean): Promise<void> {
    const { present, notices } = this;
    const { network } = this.#options;
    const steps = present.adopt(change);
    notices.tellSettledPorts();
    network?.retain(this.#networkState);
    const tell = (): Promise<void> => this.#tellRunning();
    const outcomes = await carryOutChange(steps, { present, told: tell(), tell, isWanted });
    await this.#writeState();
    this.#parts.onChange();
    throwFirstFailure(outcomes);
    await network?.update(this.#networkState); // in force is what the kernel knows
    notices.tellGateways();
  }

  /** Stops applications, then sidecars, then the control plane. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled(this.present.running.all.map((pod) => pod.stop()));
    await this.controlPlane.process.stop();
    await this.#options.network?.close();
    await this.#writeState();
    throwFirstFailure(ends);
  }

  #podContext(resources: () => readonly Resource[]): PodContext {
    const { dataDirectory, hauberkCommand, random, network, envoy, report } = this.#options;
    return {
      dataDirectory,
      hauberkCommand,
      random,
      cluster: this.#cluster,
      controlPlane: () => this.controlPlane.address,
      network,
      envoy,
      serviceAddresses: () => this.present.plan.serviceAddresses ?? {},
      issueToken: (workload, what) => this.#issueToken(workload, what),
      resources,
      workloads: () => this.present.workloads,
      onReadiness: () => this.#readinessChanged(),
      closing: this.#parts.changes.closing,
      onPlaced: (title, rewrites) => report({ type: "files-placed", title, rewrites }),
      report: (title, event) => this.#reportProcess(title, event),
    };
  }

  get #cluster(): string {
    return this.#options.controlPlane?.cluster ?? DEFAULT_CLUSTER_NAME;
  }

  #issueToken(
    { namespace, name, uid, serviceAccount }: Workload,
    what?: TokenRequest,
  ): Promise<string> {
    return this.#parts.beginning.tokens.issue({
      namespace,
      podName: name,
      podUid: uid,
      serviceAccount,
      now: this.#options.clock.now(),
      lifetimeMs: TOKEN_LIFETIME_MS,
      ...what,
    });
  }

  #readinessChanged(): void {
    const { onChange, changes } = this.#parts;
    onChange();
    void this.#tellRunning();
    if (!this.present.plan.pods.some(({ startsAfter }) => startsAfter !== undefined)) return;
    changes
      .inTurn(() => this.present.startHeld())
      .catch((error: unknown) =>
        this.#reportProcess("StatefulSet", { type: "failed", problem: describeError(error) }),
      );
  }

  /** Whoever enforces something hears of it: the control plane, and the network. */
  async #tellRunning(): Promise<void> {
    this.controlPlane.tell(this.#runningNow);
    try {
      await this.#options.network?.update(this.#networkState);
    } catch (error) {
      this.#reportProcess("network", { type: "failed", problem: describeError(error) });
    }
  }

  get #runningNow(): RunningNow {
    const { workloads, plan } = this.present;
    const { serviceAddresses } = plan;
    const running = { workloads, resources: this.#parts.joined() };
    return serviceAddresses === undefined ? running : { ...running, serviceAddresses };
  }

  get #networkState(): NetworkState {
    const { plan, all: pods, workloads } = this.present;
    const { published, serviceAddresses = {} } = plan;
    return { pods, workloads, resources: this.#parts.resources(), serviceAddresses, published };
  }

  #reportProcess(title: string, event: ProcessEvent): void {
    if (this.#parts.changes.closing.aborted) return;
    this.#tell(title, event);
    this.#parts.onChange();
    if (event.type === "started") void this.#writeState();
  }

  #tell(title: string, event: ProcessEvent): void {
    this.#options.report({ type: "process", title, event });
  }

  #writeState(): Promise<void> {
    const { network, dataDirectory } = this.#options;
    return this.#stateFile.write(() =>
      meshStateNow({
        cluster: this.#cluster,
        controlPlane: this.controlPlaneAddress,
        socket: dataDirectory.socket,
        workloads: this.present.workloads,
        processes: [
          this.controlPlane.process,
          ...(network?.processes ?? []),
          ...this.present.running.all.flatMap(({ processes }) => processes),
        ],
      }),
    );
  }
}

function givenSettings({ cacerts, network }: RunningMeshOptions): ControlPlaneSettings {
  const folder = cacerts?.();
  return {
    ...(folder !== undefined && { cacerts: folder }),
    ...(network !== undefined && { outside: network.wayOut }),
  };
}
