/** What runs in a mesh on this machine, and how it does: plain data for whoever asks the supervisor. */
import type { Resource } from "../api/resource.ts";
import type { RemoteClustersOverview } from "../control/remote-cluster-state.ts";
import { identityOf } from "../policy/build-workload-view.ts";
import { effectivePeerAuthentication } from "../policy/effective-policy.ts";
import { buildSnapshot, type MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { mutualTlsOfPort } from "../policy/mutual-tls.ts";
import { tokenKeySourceName, wantedKeySets } from "../policy/token-key-source.ts";
import { unaskablePolicies } from "../policy/unaskable-policies.ts";
import type { IpAddresses, SocketAddress, Workload } from "../policy/workload.ts";
import type { EffectiveMutualTls } from "../policy/workload-view.ts";
import type { GatewayAddress } from "./gateway-addresses.ts";
import { isJoined } from "./joining/joined-resources.ts";
import { certificateEnds } from "./pods/certificate-end.ts";
import type { Pod } from "./pods/pod.ts";
import type { PodContainer } from "./pods/pod-container.ts";
import type { ProcessExit } from "./processes/mesh-process.ts";
import type { ProcessPhase, SupervisedProcess } from "./processes/supervised-process.ts";

export interface MeshStatus {
  readonly controlPlane: ProcessStatus & { readonly listen: string };
  /** Why its process runs and yet gave no answer, and what to do; absent: it answered, or was not asked. */
  readonly controlPlaneAway?: string;
  readonly pods: readonly PodStatus[];
  /** Why what the files say now is not in force; absent when it is. */
  readonly refusedChange?: string;
  /** Policies that refuse whatever they match, since nobody can be asked: a sentence each, with its place. Absent: none does. */
  readonly unaskable?: readonly string[];
  /** Where keys of users' tokens are fetched, by `tokenKeySourceName`; absent: nowhere. */
  readonly tokenKeySources?: readonly string[];
  /** Those of them that the control plane never had, and could not fetch: a sentence each; absent when it was not asked. */
  readonly missingTokenKeys?: readonly string[];
  /** What the control plane warns of: leaves not renewed, authorities that end; absent when it was not asked. */
  readonly certificateWarnings?: readonly string[];
  /** What the control plane says of other meshes under its root; absent when it was not asked. */
  readonly remoteClusters?: RemoteClustersOverview;
}

export interface ProcessStatus {
  /** `sidecar`, or the container's name. */
  readonly name: string;
  readonly phase: ProcessPhase;
  readonly restarts: number;
  /** Absent while it does not run. */
  readonly processId?: number;
  readonly lastExit?: ProcessExit;
}

export interface ContainerStatus extends ProcessStatus {
  /** What its probes say; always "ready" where there are none. */
  readonly readiness: "ready" | "not-ready";
  /** The last thing a probe found wrong. */
  readonly problem?: string;
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
  /** What it was made from; "run" for a process that joined. */
  readonly kind: Workload["ownerKind"] | "run";
  /** Its own; absent where pods share the machine's loopback. */
  readonly addresses?: IpAddresses;
  /** Of all its processes; absent where the system does not tell. */
  readonly memoryBytes?: number;
  /** The SPIFFE id it proves; absent without a sidecar. */
  readonly identity?: string;
  readonly sidecar?: ProcessStatus;
  /** Of an Envoy with its agent; absent for our own sidecar. */
  readonly dataPlane?: "envoy";
  /** Where the sidecar serves its metrics, on the pod's loopback. */
  readonly adminPort?: number;
  /** Where everything else is asked of it; absent while it does not run. */
  readonly adminSocket?: string;
  /** ISO 8601; absent without a sidecar, and when that does not answer. The first to end, where it has several. */
  readonly certificateEnds?: string;
  /** Of a sidecar of several processes each one's, in their order; null for one that does not serve. */
  readonly processCertificateEnds?: readonly (string | null)[];
  readonly containers: readonly ContainerStatus[];
  /** First processes of what joined. */
  readonly joinedProcessIds: readonly number[];
  readonly ports: readonly PortStatus[];
  /** Where a gateway is reached; absent of any other pod. */
  readonly gateway?: readonly GatewayAddress[];
}

export interface PortStatus {
  readonly containerPort: number;
  readonly name: string;
  /** Where callers connect. */
  readonly listen: SocketAddress;
  /** Absent without a sidecar. */
  readonly mutualTls?: EffectiveMutualTls;
}

export async function meshStatus(mesh: {
  readonly controlPlane: SupervisedProcess;
  readonly controlPlaneAddress: string;
  readonly pods: readonly Pod[];
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
  readonly refusedChange: string | undefined;
  readonly gatewayAddresses: (workload: Workload) => readonly GatewayAddress[];
}): Promise<MeshStatus> {
  const { resources, workloads } = mesh;
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [] });
  const unaskable = unaskablePolicies(resources);
  const tokenKeySources = wantedKeySets(resources).map(({ source }) => tokenKeySourceName(source));
  return {
    controlPlane: {
      ...processStatus(mesh.controlPlane, "control plane"),
      listen: mesh.controlPlaneAddress,
    },
    pods: await Promise.all(mesh.pods.map((pod) => observePod(pod, mesh, snapshot))),
    ...(mesh.refusedChange === undefined ? {} : { refusedChange: mesh.refusedChange }),
    ...(unaskable.length > 0 && { unaskable }),
    ...(tokenKeySources.length > 0 && { tokenKeySources }),
  };
}

/** What must be asked of its processes, beside what is known. */
async function observePod(
  pod: Pod,
  mesh: { readonly gatewayAddresses: (workload: Workload) => readonly GatewayAddress[] },
  snapshot: MeshSnapshot,
): Promise<PodStatus> {
  const { workload } = pod.plan;
  const [memoryBytes, ends] = await Promise.all([pod.memory(), certificateEnds(pod.adminSocket)]);
  return {
    ...podStatus(pod, snapshot),
    ...(workload.gateway && { gateway: mesh.gatewayAddresses(workload) }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(ends && { certificateEnds: ends.ends }),
    ...(ends?.ofProcesses && { processCertificateEnds: ends.ofProcesses }),
  };
}

function podStatus(pod: Pod, snapshot: MeshSnapshot): PodStatus {
  const { workload, source, adminPort } = pod.plan;
  const { adminSocket } = pod;
  const { namespace, name, owner, ownerKind, addresses } = workload;
  const known = {
    ...(addresses && { addresses }),
    namespace,
    name,
    owner,
    kind: isJoined(source) ? ("run" as const) : ownerKind,
    containers: pod.containers.map(containerStatus),
    joinedProcessIds: pod.joinedProcessIds,
    ports: portStatus(workload, snapshot),
  };
  if (pod.sidecar === undefined) return known;
  return {
    ...known,
    identity: identityOf(workload, snapshot.settings.trustDomain),
    sidecar: processStatus(pod.sidecar, "sidecar"),
    ...(pod.plan.dataPlane === "envoy" && { dataPlane: pod.plan.dataPlane }),
    ...(adminPort === undefined ? {} : { adminPort }),
    ...(adminSocket === undefined ? {} : { adminSocket }),
  };
}

function portStatus(workload: Workload, snapshot: MeshSnapshot): readonly PortStatus[] {
  const composed = effectivePeerAuthentication(snapshot, workload);
  return workload.ports.map(({ containerPort, name, listen }) => ({
    containerPort,
    name,
    listen,
    ...(workload.injected && !workload.gateway
      ? { mutualTls: mutualTlsOfPort(composed, containerPort) }
      : {}),
  }));
}

function containerStatus({ process, ready, problem }: PodContainer): ContainerStatus {
  return {
    ...processStatus(process, process.title.split(" ").at(-1) ?? ""),
    readiness: ready ? "ready" : "not-ready",
    ...(problem === undefined ? {} : { problem }),
  };
}

function processStatus(supervised: SupervisedProcess, name: string): ProcessStatus {
  const { phase, restarts, processId, lastExit } = supervised;
  return {
    name,
    phase,
    restarts,
    ...(processId === undefined ? {} : { processId }),
    ...(lastExit === undefined ? {} : { lastExit }),
  };
}
