/**
 * The network of a mesh whose pods have namespaces of their own: their addresses, what the kernel is told of each pod,
 * the gateway beside the bridge, and what the host's loopback offers.
 */
import { realpathSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { Resource } from "../../api/resource.ts";
import { buildDestinations } from "../../policy/destinations.ts";
import { buildSnapshot, type MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import { resolvePodNetworkRules } from "../../policy/network-rules.ts";
import { podTemplateOf } from "../../policy/plan-workloads.ts";
import { podDomain } from "../../policy/pod-domain.ts";
import type { CaptureSettings } from "../../policy/sidecar-bootstrap.ts";
import type { IpAddresses, SocketAddress, Workload } from "../../policy/workload.ts";
import type { Destination, Endpoint } from "../../policy/workload-view.ts";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { settleFew } from "../../runtime/settle-few.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { JoinedNetwork } from "../joining/mesh-socket-messages.ts";
import type { AddressPlan, PlannedPod } from "../mesh-plan.ts";
import type { PathRewrite } from "../pods/container-files.ts";
import type { ContainerLaunch } from "../pods/container-launch.ts";
import type { EnclosedLaunch } from "../pods/pod-container.ts";
import type { ProcessEvent, SupervisedProcess } from "../processes/supervised-process.ts";
import { AddressAllocator } from "./address-allocator.ts";
import { applicationProcesses } from "./application-processes.ts";
import {
  type Command,
  encloseContainer,
  encloseSidecar,
  type VolumePlacement,
} from "./enclosure.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { hostFiles } from "./host-files.ts";
import type { HostSide, MeshUser, PublishedPort, PublishOutcome } from "./host-side.ts";
import { MeshFabric, type PodNetwork } from "./mesh-fabric.ts";
import {
  APPLICATION_UID,
  CAPTURE_PORTS,
  ROUTER_ADDRESSES,
  ROUTER_PORTS,
  SIDECAR_MARK,
  SIDECAR_UID,
} from "./mesh-ranges.ts";
import { podFiles } from "./pod-files.ts";
import { type Exemption, podRules } from "./pod-rules.ts";
import { systemCallFilter } from "./system-call-filter.ts";

/** Of every sidecar, as Istio's. */
const ADMIN_PORT = 15_000;

/** Below the pod's own folder. */
const POD_FILES = "etc";
const POD_FILE_TARGETS = [
  "/etc/hostname",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/etc/passwd",
  "/etc/group",
];

/** A hostPath volume holds the data directory of the mesh, or lies in it. */
export class ForbiddenVolumeError extends HauberkError {
  readonly code = "HAUBERK_FORBIDDEN_VOLUME";
}

/** Pods told of a change at the same time: starting a program holds up everything else here, such as a new pod. */
const PODS_AT_ONCE = 2;

/** A pod was to be made before its network knew of the mesh. */
export class NetworkNotStartedError extends HauberkError {
  readonly code = "HAUBERK_NETWORK_NOT_STARTED";
}

export interface NetworkState {
  readonly pods: readonly PlannedPod[];
  /** Those of the pods, as ready as they are now. */
  readonly workloads: readonly Workload[];
  readonly resources: readonly Resource[];
  readonly serviceAddresses: Readonly<Record<string, IpAddresses>>;
  readonly published: readonly PublishedPort[];
}

export interface NamespaceNetworkOptions {
  readonly dataDirectory: DataDirectory;
  readonly hauberkCommand: readonly [string, ...string[]];
  readonly host: HostSide;
  readonly random: () => number;
  readonly log: Log;
}

export class NamespaceNetwork implements AddressPlan {
  readonly adminPort: number = ADMIN_PORT;
  readonly #options: NamespaceNetworkOptions;
  readonly #fabric: MeshFabric;
  readonly #allocator: AddressAllocator = new AddressAllocator();
  readonly #pods: Map<string, PodNetwork> = new Map();
  #gateway: GatewayProcess | undefined;
  #state: NetworkState | undefined;
  /** The last state that the kernel took whole. */
  #enforced: NetworkState | undefined;
  /** What the host side was last asked to offer. */
  #published = "";
  /** Rules are given to the kernel by one run after the other. */
  #updating: Promise<void> = Promise.resolve();
  /** Path of the file; absent on a machine for which there is none. */
  readonly #systemCallFilter: string | undefined;

  private constructor(
    options: NamespaceNetworkOptions,
    { fabric, systemCallFilter }: { fabric: MeshFabric; systemCallFilter: string | undefined },
  ) {
    this.#options = options;
    this.#systemCallFilter = systemCallFilter;
    this.#fabric = fabric;
  }

  /** @throws FabricError when the kernel refuses a part of it */
  static async open(options: NamespaceNetworkOptions): Promise<NamespaceNetwork> {
    const { dataDirectory, log } = options;
    await dataDirectory.create();
    const fabric = await MeshFabric.open({ dataDirectory: dataDirectory.path, log });
    const systemCallFilter = await writeSystemCallFilter(options);
    return new NamespaceNetwork(options, { fabric, systemCallFilter });
  }

  get user(): MeshUser {
    return this.#options.host.user;
  }

  /** Whom the files of an application must belong to; absent where that is ourselves. */
  get applicationUser(): { readonly uid: number; readonly gid: number } | undefined {
    return this.user === "root" ? { uid: APPLICATION_UID, gid: APPLICATION_UID } : undefined;
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
      this.#pods.set(key, network);
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
      await network.apply(rulesOf(planned, this.#knowledge(state)));
    } while (state !== this.#state);
  }

  /** The process that a container is really started as; asked to end, only its own program is. */
  encloseContainer(
    launch: ContainerLaunch,
    {
      pod,
      planned,
      visible,
    }: {
      readonly pod: PodNetwork;
      readonly planned: PlannedPod;
      /** Folders of manifests. */
      readonly visible: readonly string[];
    },
  ): EnclosedLaunch {
    const { dataDirectory } = this.#options;
    const { workload, template } = planned;
    const { environment, workingDirectory, files } = launch;
    const enclosed = encloseContainer({
      user: this.user,
      networkNamespace: pod.path,
      hostname: template.hostname ?? workload.name,
      command: launch.command,
      environment,
      workingDirectory,
      temporaryFolder: dataDirectory.scratch(workload),
      volumes: [
        ...files.rewrites.map((rewrite) => volumeOf(rewrite, dataDirectory)),
        ...podFilesIn(dataDirectory.pod(workload)),
      ],
      dataDirectory: dataDirectory.path,
      home: homedir(),
      temporary: [tmpdir()],
      withheld: secretFiles(this.#state?.resources ?? []),
      ...(this.#systemCallFilter !== undefined && { systemCallFilter: this.#systemCallFilter }),
      visible: isBelow(dataDirectory.path, workingDirectory)
        ? visible
        : [...visible, workingDirectory],
      host: hostFiles,
    });
    return { ...enclosed, workingDirectory: "/", programsOf: applicationProcesses };
  }

  encloseSidecar(command: Command, pod: PodNetwork): Command {
    const { dataDirectory } = this.#options;
    const { user } = this;
    const networkNamespace = pod.path;
    return encloseSidecar({
      user,
      networkNamespace,
      dataDirectory: dataDirectory.path,
      command,
    });
  }

  /** Writes what differs from pod to pod in /etc. */
  async writePodFiles({ workload, template }: PlannedPod): Promise<void> {
    const { namespace, name } = workload;
    const owner = podTemplateOf(this.#state?.resources ?? [], workload);
    const [passwd, group] = await Promise.all(
      ["/etc/passwd", "/etc/group"].map((file) => readFile(file, "utf8").catch(() => "")),
    );
    const folder = join(this.#options.dataDirectory.pod(workload), POD_FILES);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const accounts = { passwd: passwd ?? "", group: group ?? "" };
    const addresses = addressesOf(workload);
    for (const { target, content } of podFiles({
      namespace,
      hostname: template.hostname ?? name,
      serviceName: owner === undefined ? undefined : podDomain(owner)?.serviceName,
      addresses,
      home: homedir(),
      accounts,
    })) {
      await writeFile(join(folder, basename(target)), content, { mode: 0o644 });
    }
  }

  /** For a program of the user's own that is to run in the pod's network. */
  joinedNetwork(workload: Workload, processId: number): JoinedNetwork {
    const folder = join(this.#options.dataDirectory.pod(workload), POD_FILES);
    return { user: this.user, processId, resolverFile: join(folder, "resolv.conf") };
  }

  async closePod(network: PodNetwork): Promise<void> {
    if (this.#pods.get(network.key) === network) this.#pods.delete(network.key);
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
    await this.#updating;
    await this.#gateway?.process.stop();
    await Promise.all([...this.#pods.values()].map((network) => network.destroy()));
    this.#pods.clear();
    await this.#fabric.close();
  }

  /** Whoever asked before the newest state came finds that one in force, and whoever brought it nothing left to do. */
  async #enforceNewest(): Promise<void> {
    const state = this.#state;
    if (state === undefined || state === this.#enforced) return;
    const { host } = this.#options;
    const knowledge = this.#knowledge(state);
    this.#gateway?.tell(knowledge.destinations);
    const published = JSON.stringify(state.published);
    if (published !== this.#published) host.publish(state.published);
    this.#published = published;
    const open = state.pods.flatMap((planned) => {
      const { namespace, name } = planned.workload;
      const network = this.#pods.get(`${namespace}/${name}`);
      return network === undefined ? [] : [{ planned, network }];
    });
    const outcomes = await settleFew(
      open.map(
        ({ planned, network }) =>
          () =>
            network.apply(rulesOf(planned, knowledge)),
      ),
      PODS_AT_ONCE,
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    this.#enforced = state;
  }

  #knowledge({ resources, workloads, serviceAddresses }: NetworkState): Knowledge {
    const snapshot = buildSnapshot({ resources, workloads, rootsPem: [], serviceAddresses });
    const exemption: Exemption =
      this.user === "root" ? { by: "uid", uid: SIDECAR_UID } : { by: "mark", mark: SIDECAR_MARK };
    const { controlPlane } = this;
    return { snapshot, destinations: buildDestinations(snapshot), exemption, controlPlane };
  }
}

/** @throws ForbiddenVolumeError */
function volumeOf(
  { from, to, access, origin }: PathRewrite,
  { path }: DataDirectory,
): VolumePlacement {
  if (origin === "machine") {
    const [source, kept] = [realpathSync(to), realpathSync(path)];
    if (source === kept || isBelow(kept, source) || isBelow(source, kept)) {
      throw new ForbiddenVolumeError(
        `the volume at ${from} would show the data directory ${path}, which no pod may see`,
      );
    }
  }
  return { target: from, source: to, mode: access === "read-only" ? "read-only" : "writable" };
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

async function writeSystemCallFilter({
  dataDirectory,
  log,
}: NamespaceNetworkOptions): Promise<string | undefined> {
  const filter = systemCallFilter(process.arch);
  if (filter === undefined) {
    log.warn("pods may make any system call: no filter is known for this machine", {
      architecture: process.arch,
    });
    return undefined;
  }
  await replaceFile(dataDirectory.systemCallFilter, filter, { mode: 0o600 });
  return dataDirectory.systemCallFilter;
}

/** A pod sees what it is given of a Secret; its manifest, and those of others, are none of its business. */
function secretFiles(resources: readonly Resource[]): readonly string[] {
  const files = resources.flatMap(({ kind, meta }) =>
    kind === "Secret" ? resolve(meta.source.file) : [],
  );
  return [...new Set(files)];
}

function podFilesIn(podFolder: string): readonly VolumePlacement[] {
  return POD_FILE_TARGETS.map((target) => ({
    target,
    source: join(podFolder, POD_FILES, basename(target)),
    mode: "read-only",
  }));
}

interface Knowledge {
  readonly snapshot: MeshSnapshot;
  readonly destinations: readonly Destination[];
  readonly exemption: Exemption;
  readonly controlPlane: SocketAddress;
}

function allAddressesOf({ address, podAddresses = [] }: Endpoint): readonly SocketAddress[] {
  const { port } = address;
  return podAddresses.map((own) => ({ address: own, port }));
}

function addressesOf({ namespace, name, addresses }: Workload): IpAddresses {
  if (addresses !== undefined) return addresses;
  throw new NetworkNotStartedError(`${namespace}/${name} was planned without addresses`);
}

function rulesOf(
  { workload, template }: PlannedPod,
  { snapshot, destinations, exemption, controlPlane }: Knowledge,
): string {
  return podRules({
    sidecar: workload.injected ? "present" : "absent",
    interception: template.interception,
    exemption,
    addresses: addressesOf(workload),
    controlPlane,
    adminPort: ADMIN_PORT,
    services: destinations.flatMap(({ addresses = [], servicePort, endpoints }) =>
      addresses.length === 0
        ? []
        : [{ addresses, port: servicePort, endpoints: endpoints.flatMap(allAddressesOf) }],
    ),
    networkRules: resolvePodNetworkRules(snapshot, workload),
  });
}
