/** The state of a mesh as a table for people, and whether all is well with it. Pure. */

import type {
  ContainerStatus,
  MeshStatus,
  PodStatus,
  PortStatus,
  ProcessStatus,
} from "../local/mesh-status.ts";
import { alignColumns } from "./align-columns.ts";
import { formatGatewayAddress } from "./format-gateway-address.ts";
import { formatRemoteClusters, remoteClusterTroubles } from "./format-remote-clusters.ts";
import { formatTimeLeft } from "./format-time-left.ts";

const HEADINGS = [
  "POD",
  "KIND",
  "SIDECAR",
  "PROGRAMS",
  "RESTARTS",
  "IDENTITY",
  "CERTIFICATE",
  "MEMORY",
  "PORTS",
];

const MIB = 1024 * 1024;

export function formatMeshStatus(mesh: MeshStatus, now: Date): readonly string[] {
  const { controlPlane, controlPlaneAway, pods, remoteClusters } = mesh;
  const troubles = findTroubles(mesh, now);
  const below = troubles.filter((trouble) => trouble !== controlPlaneAway);
  const phase = describeProcess(controlPlane);
  return [
    // That its process runs would be the wrong thing to read first.
    controlPlaneAway ??
      `control plane ${phase}, at ${controlPlane.listen}, restarts ${controlPlane.restarts}`,
    "",
    ...alignColumns([HEADINGS, ...pods.map((pod) => rowOf(pod, now))]),
    "",
    ...pods.flatMap(gatewayLines),
    ...(remoteClusters === undefined ? [] : formatRemoteClusters(remoteClusters, now)),
    ...memoryOfAll(pods),
    ...(troubles.length === 0 ? ["all is well"] : below),
  ];
}

/** One sentence for each part that is down; none when all is well. */
export function findTroubles(mesh: MeshStatus, now: Date): readonly string[] {
  const { controlPlane, controlPlaneAway, pods, refusedChange, remoteClusters } = mesh;
  const { certificateWarnings = [], unaskable = [], missingTokenKeys = [] } = mesh;
  return [
    ...(refusedChange === undefined
      ? []
      : [`the files are not in force as they are now: ${refusedChange}`]),
    ...processTroubles("the control plane", [controlPlane]),
    ...(controlPlaneAway === undefined ? [] : [controlPlaneAway]),
    ...pods.flatMap((pod) => podTroubles(pod, now)),
    ...pods.flatMap(unservedHosts),
    ...unaskable,
    ...missingTokenKeys,
    ...certificateWarnings,
    ...(remoteClusters === undefined ? [] : remoteClusterTroubles(remoteClusters, now)),
  ];
}

function gatewayLines({ namespace, name, gateway = [] }: PodStatus): readonly string[] {
  return gateway.map((one) => `${namespace}/${name} serves ${formatGatewayAddress(one)}`);
}

function unservedHosts({ namespace, name, gateway = [] }: PodStatus): readonly string[] {
  return gateway.flatMap(({ hosts, problem }) =>
    problem === undefined
      ? []
      : [`${namespace}/${name} does not serve ${hosts.join(", ") || "*"}: ${problem}`],
  );
}

function podTroubles(pod: PodStatus, now: Date): readonly string[] {
  const where = `${pod.namespace}/${pod.name}`;
  if (pod.kind === "Job" && pod.containers.every(({ phase }) => phase === "completed")) {
    const failed = pod.containers.filter((one) => !hasSucceeded(one));
    return failed.map(({ name, lastExit }) => {
      const how = lastExit?.signal ?? `code ${lastExit?.code}`;
      return `${where} ${name} failed for good, with ${how}: its backoffLimit is reached`;
    });
  }
  const { sidecar, containers, certificateEnds } = pod;
  const troubles = [
    ...(sidecar === undefined ? [] : processTroubles(`${where} sidecar`, [sidecar])),
    ...containers.flatMap((one) => containerTroubles(`${where} ${one.name}`, one)),
  ];
  if (sidecar?.phase !== "running") return troubles;
  const ends = certificateEnds === undefined ? undefined : new Date(certificateEnds);
  if (ends === undefined) {
    troubles.push(`${where} sidecar does not say which certificate it has`);
  } else if (ends <= now) {
    troubles.push(
      `${where} certificate ended ${certificateEnds}, and was not renewed: calls by mutual TLS fail`,
    );
  }
  return [...troubles, ...missingProcesses(where, pod)];
}

/** The others serve meanwhile. */
function missingProcesses(
  where: string,
  { processCertificateEnds = [] }: PodStatus,
): readonly string[] {
  return processCertificateEnds.flatMap((end, index) =>
    end === null ? [`${where} sidecar: process ${index + 1} does not serve`] : [],
  );
}

function containerTroubles(what: string, container: ContainerStatus): readonly string[] {
  const { phase, readiness, problem } = container;
  if (phase !== "running" || readiness === "ready") return processTroubles(what, [container]);
  return [`${what} is not ready${problem === undefined ? "" : `: ${problem}`}`];
}

function processTroubles(what: string, processes: readonly ProcessStatus[]): string[] {
  return processes
    .filter((one) => one.phase !== "running" && !hasEndedAsAsked(one))
    .map((one) => `${what} is down: ${describeProcess(one)}`);
}

/** "stopped" is what was asked to end: its pod is about to go. */
function hasEndedAsAsked(one: ProcessStatus): boolean {
  return one.phase === "stopped" || hasSucceeded(one);
}

function hasSucceeded({ phase, lastExit }: ProcessStatus): boolean {
  return phase === "completed" && lastExit?.code === 0;
}

/** `running`, or `waiting after code 1` */
function describeProcess({ phase, lastExit }: ProcessStatus): string {
  if (phase === "running" || lastExit === undefined) return phase;
  return `${phase} after ${lastExit.signal ?? `code ${lastExit.code}`}`;
}

function describeContainer(container: ContainerStatus): string {
  const { phase, readiness } = container;
  return phase === "running" && readiness === "not-ready"
    ? "not ready"
    : describeProcess(container);
}

function rowOf(pod: PodStatus, now: Date): readonly string[] {
  const { namespace, name, kind, sidecar, containers, joinedProcessIds } = pod;
  const programs = [
    ...containers.map((one) => `${one.name} ${describeContainer(one)}`),
    ...(kind === "run" ? [`process ${joinedProcessIds.at(-1) ?? "-"}`] : []),
  ];
  const restarts = [...(sidecar === undefined ? [] : [sidecar]), ...containers];
  return [
    `${namespace}/${name}`,
    kind,
    sidecar === undefined ? "none" : describeSidecar(sidecar, pod),
    programs.join(", "),
    String(restarts.reduce((sum, one) => sum + one.restarts, 0)),
    pod.identity?.replace(/^spiffe:\/\/[^/]+\//, "") ?? "none",
    certificateLeft(pod, now),
    pod.memoryBytes === undefined ? "-" : `${Math.round(pod.memoryBytes / MIB)} MiB`,
    pod.ports.map(pod.gateway === undefined ? describePort : describeGatewayPort).join(", ") || "-",
  ];
}

function describeSidecar(
  sidecar: ProcessStatus,
  { dataPlane, processCertificateEnds: processes }: PodStatus,
): string {
  const words = [dataPlane ?? [], describeProcess(sidecar)].flat().join(" ");
  return processes === undefined ? words : `${words}, ${processes.length} processes`;
}

/** Nothing where the system does not tell. */
function memoryOfAll(pods: readonly PodStatus[]): readonly string[] {
  const known = pods.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  if (known.length === 0) return [];
  const bytes = known.reduce((sum, one) => sum + one, 0);
  const what = known.length === 1 ? "1 pod" : `${known.length} pods`;
  return [`memory of ${what}: ${Math.round(bytes / MIB)} MiB`];
}

/** What a gateway's port asks for is told with its hosts. */
function describeGatewayPort({ containerPort, listen }: PortStatus): string {
  return `${containerPort} at ${listen.address}:${listen.port}`;
}

function describePort({ containerPort, listen, mutualTls }: PortStatus): string {
  const mode = mutualTls === undefined ? "plaintext" : mutualTls.mode;
  return `${containerPort} at ${listen.address}:${listen.port} ${mode}`;
}

/** Of each process, where the sidecar has several. */
function certificateLeft(pod: PodStatus, now: Date): string {
  if (pod.sidecar === undefined) return "-";
  if (pod.certificateEnds === undefined) return "unknown";
  const ends = pod.processCertificateEnds ?? [pod.certificateEnds];
  return ends
    .map((end) => (end === null ? "none" : formatTimeLeft(Date.parse(end) - now.getTime())))
    .join(", ");
}
