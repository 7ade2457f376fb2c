/** Other meshes under the same root, as `hauberk status` shows them. Pure. */
import type {
  RemoteClusterState,
  RemoteClustersOverview,
} from "../control/remote-cluster-state.ts";
import { alignColumns } from "./align-columns.ts";
import { formatDuration } from "./format-time-left.ts";

const HEADINGS = ["REMOTE CLUSTER", "SERVER", "STATE", "SERVICES", "ENDPOINTS", "HEARD"];

/** A table, with what this mesh is called above it; nothing for a mesh that has no remote cluster. */
export function formatRemoteClusters(
  { cluster, trustDomain, remoteClusters }: RemoteClustersOverview,
  now: Date,
): readonly string[] {
  if (remoteClusters.length === 0) return [];
  return [
    `this is the cluster ${cluster}, of trust domain ${trustDomain}`,
    ...alignColumns([HEADINGS, ...remoteClusters.map((state) => rowOf(state, now))]),
    "",
  ];
}

/** One sentence for each that is away, and for each of its services that is not taken over. */
export function remoteClusterTroubles(
  { remoteClusters }: RemoteClustersOverview,
  now: Date,
): readonly string[] {
  return remoteClusters.flatMap((state) => [
    ...(state.phase === "away" ? [awayInWords(state, now)] : []),
    ...state.refusals.map((refusal) => `remote cluster ${state.cluster}: ${refusal}`),
  ]);
}

function awayInWords(state: RemoteClusterState, now: Date): string {
  const { cluster, server, since, problem = "no reason is known" } = state;
  const time = formatDuration(elapsed(since, now));
  return `remote cluster ${cluster} at ${server} is away for ${time}: ${problem}; ${whatIsUsed(state)}`;
}

function whatIsUsed({ dropped, heardAt, endpoints }: RemoteClusterState): string {
  if (dropped) return "nothing of it is used any more";
  if (heardAt === undefined) return "nothing of it is known";
  return `what it said last is still used (${endpoints} endpoints)`;
}

function rowOf(state: RemoteClusterState, now: Date): readonly string[] {
  const { cluster, server, phase, since, services, endpoints, heardAt } = state;
  const time = formatDuration(elapsed(since, now));
  return [
    cluster,
    server,
    `${phase} for ${time}`,
    String(services),
    String(endpoints),
    heardAt === undefined ? "never" : `${formatDuration(elapsed(heardAt, now))} ago`,
  ];
}

/** Milliseconds; 0 where the other's clock, or ours, was set back. */
function elapsed(since: string, now: Date): number {
  return Math.max(0, now.getTime() - Date.parse(since));
}
