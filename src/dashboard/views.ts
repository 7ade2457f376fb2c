/** What the page shows, as the JSON that it asks for; docs/reference/dashboard.md describes the fields. */
import type { CountedEdge } from "./call-counts.ts";
import type { MeshFacts, PodFacts } from "./mesh-source.ts";
import type { Denial } from "./recent-denials.ts";

export interface GraphView {
  /** Minutes that the figures are of. */
  readonly windowMinutes: number;
  readonly services: readonly ServiceView[];
  readonly edges: readonly EdgeView[];
}

export interface ServiceView {
  readonly name: string;
  /** Whether its pods have sidecars: "outside" is no workload of the mesh. */
  readonly sidecar: "all" | "some" | "none" | "outside";
}

export interface EdgeView extends CountedEdge {
  readonly calls: number;
  /** Percent of the calls, rounded so that 100 means all and 0 means none. */
  readonly mutualTlsPercent: number;
}

export interface WorkloadsView {
  readonly workloads: readonly WorkloadView[];
  readonly troubles: readonly string[];
}

export interface WorkloadView {
  /** `namespace/pod` */
  readonly pod: string;
  readonly kind: string;
  /** SPIFFE id. */
  readonly identity: string | null;
  /** ISO 8601. */
  readonly certificateEnds: string | null;
  /** Negative once it has ended. */
  readonly certificateSecondsLeft: number | null;
  readonly ports: readonly { readonly port: number; readonly mode: string }[];
}

export interface DenialsView {
  readonly denials: readonly Denial[];
}

export function graphView(
  { pods }: MeshFacts,
  counted: readonly CountedEdge[],
  windowMinutes: number,
): GraphView {
  const byService = new Map<string, PodFacts[]>();
  for (const pod of pods) {
    const name = `${pod.namespace}/${pod.owner}`;
    byService.set(name, [...(byService.get(name) ?? []), pod]);
  }
  const called = counted.flatMap(({ from, to }) => [from, to]);
  const names = [...new Set([...byService.keys(), ...called])].sort();
  return {
    windowMinutes,
    services: names.map((name) => ({ name, sidecar: sidecarsOf(byService.get(name) ?? []) })),
    edges: counted.map((edge) => ({
      ...edge,
      calls: edge.mutualTls + edge.plaintext,
      mutualTlsPercent: percentOf(edge.mutualTls, edge.mutualTls + edge.plaintext),
    })),
  };
}

export function workloadsView({ pods, troubles }: MeshFacts, now: Date): WorkloadsView {
  const workloads = pods.map((pod) => workloadView(pod, now));
  return { workloads: workloads.sort((a, b) => (a.pod < b.pod ? -1 : 1)), troubles };
}

function workloadView(pod: PodFacts, now: Date): WorkloadView {
  const { certificateEnds: ends } = pod;
  return {
    pod: `${pod.namespace}/${pod.name}`,
    kind: pod.kind,
    identity: pod.identity ?? null,
    certificateEnds: ends ?? null,
    certificateSecondsLeft:
      ends === undefined ? null : Math.floor((Date.parse(ends) - now.getTime()) / 1000),
    ports: pod.ports.map(({ containerPort, mutualTls }) => ({
      port: containerPort,
      mode: mutualTls?.mode ?? "plaintext",
    })),
  };
}

function sidecarsOf(pods: readonly PodFacts[]): ServiceView["sidecar"] {
  if (pods.length === 0) return "outside";
  const having = pods.filter(({ identity }) => identity !== undefined).length;
  if (having === pods.length) return "all";
  return having === 0 ? "none" : "some";
}

/** One of ten thousand in plaintext must not read as 100 %. */
function percentOf(part: number, whole: number): number {
  if (part === whole) return 100;
  return part === 0 ? 0 : Math.min(99, Math.max(1, Math.round((part / whole) * 100)));
}
