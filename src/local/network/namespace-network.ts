/**
 * The network of a mesh whose pods have namespaces of their own: their addresses, what the kernel is told of each pod,
 * the gateway beside the bridge, and what the host's loopback offers.
 */
import type { Resource } from "../../api/resource.ts";
import type { WayOutSettings } from "../../control/way-out.ts";
import type { CaptureSettings } from "../../policy/sidecar-bootstrap.ts";
import type { IpAddresses, SocketAddress, Workload } from "../../policy/workload.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { settleFew } from "../../runtime/settle-few.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { AddressPlan, PlannedPod } from "../mesh-plan.ts";
import type { ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import { AddressAllocator } from "./address-allocator.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { HostSide, MeshUser, PublishedPort, PublishOutcome } from "./host-side.ts";
import { MeshFabric, type PodNetwork } from "./mesh-fabric.ts";
import {
  ADMIN_PORT,
  CAPTURE_PORTS,
  POD_RANGES,
  ROUTER_ADDRESSES,
  ROUTER_PORTS,
  SIDECAR_MARK,
} from "./mesh-ranges.ts";
import {
  addressesOf,
  type NetworkKnowledge,
  NetworkNotStartedError,
  networkKnowledge,
  rulesOf,
} from "./network-knowledge.ts";
import { PodEnclosures } from "./pod-enclosures.ts";
import type { MeshSecrets } from "./secret-places.ts";

/** Pods told of a change at the same time: starting a program holds up everything else here, such as a new pod. */
const PODS_AT_ONCE = 2;

const RETRY_MS = 1_000;

interface OpenPod {
  readonly planned: PlannedPod;
  readonly network: PodNetwork;
}

export interface NetworkState {
  readonly pods: readonly PlannedPod[];
  /** Those of the pods, as ready as they are now. */
  readonly workloads: readonly Workload[];
  readonly resources: readonly Resource[];
  readonly serviceAddresses: Readonly<Record<string, IpAddresses>>;
  readonly published: readonly PublishedPort[];
}

export interface NamespaceNetworkOptions extends MeshSecrets {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly host: HostSide;
  readonly random: () => number;
  readonly log: Log;
}

export class NamespaceNetwork implements AddressPlan {
  readonly adminPort: number = ADMIN_PORT;
  /** What its processes are shut in with. */
  readonly enclosures: PodEnclosures;
  readonly #options: NamespaceNetworkOptions;
  readonly #fabric: MeshFabric;
  readonly #allocator: AddressAllocator = new AddressAllocator();
  /** With what each was made from: its rules are about that, until another takes its place. */
  readonly #pods: Map<string, OpenPod> = new Map();
  #gateway: GatewayProcess | undefined;
  #state: NetworkState | undefined;
  /** The last state that the kernel took whole. */
  #enforced: NetworkState | undefined;
  /** What the host side was last asked to offer. */
  #published = "";
  /** Rules are given to the kernel by one run after the other. */
  #updating: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #closing = false;

  private constructor(
    options: NamespaceNetworkOptions,
    { fabric, enclosures }: { readonly fabric: MeshFabric; readonly enclosures: PodEnclosures },
  ) {
    this.#options = options;
    this.#fabric = fabric;
    this.enclosures = enclosures;
  }

  /** @throws FabricError when the kernel refuses a part of it */
  static async open(options: NamespaceNetworkOptions): Promise<NamespaceNetwork> {
    const { dataDirectory, log } = options;
    const fabric = await MeshFabric.open({ dataDirectory: dataDirectory.path, log });
    const { user } = options.host;
    const enclosures = await PodEnclosures.open({ ...options, user });
    return new NamespaceNetwork(options, { fabric, enclosures });
  }

  get user(): MeshUser {
    return this.#options.host.user;
  }

  /** Of the control plane, to hosts that are not in the mesh. */
  get wayOut(): WayOutSettings {
    return {
      egressSocket: this.#options.host.egressSocket,
      nameServers: [ROUTER_ADDRESSES.ipv4],
      inside: [POD_RANGES.ipv4, POD_RANGES.ipv6],
    };
  }

  get controlPlane(): SocketAddress {
    return { address: ROUTER_ADDRESSES.ipv4, port: ROUTER_PORTS.controlPlane };
  }

  get processes(): readonly SupervisedProcess[] {
    return this.#gateway === undefined ? [] : [this.#gateway.process];
  }

  podAddresses(key: string): IpAddresses {
    return this.#allocator.podAddresses(key);
  }

  serviceAddresses(key: string): IpAddresses {
    return this.#allocator.serviceAddresses(key);
  }

  /** Takes back the addresses of pods and services that are no more. */
  retain({ pods, serviceAddresses }: Pick<NetworkState, "pods" | "serviceAddresses">): void {
    this.#allocator.retain({
      pods: pods.map(({ workload }) => `${workload.namespace}/${workload.name}`),
      services: Object.keys(serviceAddresses),
    });
  }

  /** How the kernel leads a pod's connections to its sidecar. */
  capture(podAddresses: IpAddresses): CaptureSettings {
    return {
      outboundPort: CAPTURE_PORTS.outbound,
      inboundPort: CAPTURE_PORTS.inbound,
      dnsPort: CAPTURE_PORTS.names,
      podAddresses,
      dnsUpstream: { address: ROUTER_ADDRESSES.ipv4, port: ROUTER_PORTS.names },
      ...(this.user === "root" ? {} : { mark: SIDECAR_MARK }),
    };
  }

  /** Starts the gateway, and lets the host's loopback offer what is published. */
  async start(
    state: NetworkState,
    {
      report,
      onPublished,
    }: {
      readonly report: (event: ProcessEvent) => void;
      readonly onPublished: (ports: readonly PublishOutcome[]) => void;
    },
  ): Promise<void> {
    const { host, hauberkCommand, dataDirectory, random } = this.#options;
    const { ipv4, ipv6 } = ROUTER_ADDRESSES;
    this.#gateway = new GatewayProcess({
      start: {
        dnsAddresses: this.#fabric.ipv6 === "available" ? [ipv4, ipv6] : [ipv4],
        egressPort: ROUTER_PORTS.egress,
        egressSocket: host.egressSocket,
        ingressSocket: host.ingressSocket,
      },
      hauberkCommand,
      log: dataDirectory.gatewayLog,
      random,
      report,
    });
    host.onPublished(onPublished);
    await Promise.all([this.update(state), this.#gateway.process.start()]);
  }

  /**
   * Makes the pod's network, closed to what the rules do not open, before anything runs in it.
   *
   * @throws FabricError
   */
  async openPod(planned: PlannedPod): Promise<PodNetwork> {
    const { workload } = planned;
    const key = `${workload.namespace}/${workload.name}`;
    const network = await this.#fabric.createPod(key, addressesOf(workload));
    try {
      await this.#applyNewest(planned, network);
      this.#pods.set(key, { planned, network });
    } catch (error) {
      await network.destroy();
      throw error;
    }
    return network;
  }

  /** Waits for no other pod; should what the mesh knows change meanwhile, what it knows then counts. */
  async #applyNewest(planned: PlannedPod, network: PodNetwork): Promise<void> {
    let state: NetworkState | undefined;
    do {
      state = this.#state;
      if (state === undefined) throw new NetworkNotStartedError("no pod may be made yet");
      await network.apply(rulesOf(planned, this.#knowledgeOf(state)));
    } while (state !== this.#state);
  }

  async closePod(network: PodNetwork): Promise<void> {
    if (this.#isOpen(network)) this.#pods.delete(network.key);
    await network.destroy();
  }

  /**
   * Tells everybody what runs now. Resolves once the kernel knows.
   *
   * @throws FabricError when the kernel refuses the rules of a pod: its earlier ones stay in force
   */
  update(state: NetworkState): Promise<void> {
    this.#state = state;
    return this.#inTurn(() => this.#enforceNewest());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#updating.then(work);
    this.#updating = done.catch(() => undefined); // whoever asked hears of it
    return done;
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#retry);
    await this.#updating;
    await this.#gateway?.process.stop();
    await Promise.allSettled([...this.#pods.values()].map(({ network }) => network.destroy()));
    this.#pods.clear();
    await this.#fabric.close();
  }

  #knowledgeOf(state: NetworkState): NetworkKnowledge {
    return networkKnowledge(state, { user: this.user, controlPlane: this.controlPlane });
  }

  /** Whoever asked before the newest state came finds that one in force, and whoever brought it nothing left to do. */
  async #enforceNewest(): Promise<void> {
    const state = this.#state;
    if (state === undefined || state === this.#enforced) return;
    const { host } = this.#options;
    const knowledge = this.#knowledgeOf(state);
    this.#gateway?.tell(knowledge.destinations);
    const published = JSON.stringify(state.published);
    if (published !== this.#published) host.publish(state.published);
    this.#published = published;
    const open = [...this.#pods.values()];
    const outcomes = await settleFew(
      open.map(
        ({ planned, network }) =>
          () =>
            network.apply(rulesOf(planned, knowledge)),
      ),
      PODS_AT_ONCE,
    );
    const failed = outcomes.find(
      (outcome, at) => outcome.status === "rejected" && this.#isOpen(open[at]?.network),
    );
    if (failed?.status === "rejected") {
      this.#tryAgain();
      throw failed.reason;
    }
    this.#enforced = state;
  }

  /** One that is gone meanwhile needs no rules. */
  #isOpen(network: PodNetwork | undefined): boolean {
    return network !== undefined && this.#pods.get(network.key)?.network === network;
  }

  /** What the kernel refused once, as on a machine that is short of something, is asked of it until it agrees. */
  #tryAgain(): void {
    clearTimeout(this.#retry);
    if (this.#closing) return;
    this.#retry = setTimeout(() => {
      this.#inTurn(() => this.#enforceNewest()).catch((error: unknown) =>
        this.#options.log.error("rules are not in force", { problem: describeError(error) }),
      );
    }, RETRY_MS).unref();
  }
}
