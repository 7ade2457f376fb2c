/**
 * Who reaches whom, asked pair by pair: of the policies as they are judged, or of real pods. The mesh of a case is plain
 * YAML, so that whoever asks can also run it.
 */
import { type UpstreamObject, yamlOf } from "./upstream-objects.ts";

export interface ReachabilityCase {
  /** `NAMESPACE/POD` each. */
  readonly pods: readonly string[];
  readonly policies: readonly UpstreamObject[];
  readonly setup?: {
    /** By namespace, besides its name. */
    readonly namespaceLabels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    /** By `NAMESPACE/POD`, besides `pod`. */
    readonly podLabels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly reachable: Reachability;
}

/** Whether the first reaches the second; both `NAMESPACE/POD`. */
export type Reachability = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

export interface ProbedPair {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: ReachabilityCase["protocol"];
}

export type Probe = (pair: ProbedPair) => boolean | Promise<boolean>;

/** Which upstream's pods serve, whatever a case asks for. */
const SERVED_PORTS = [80, 81];

/** Asks for every pair that the case has an expectation of. */
export async function collectReachability(
  { reachable, port, protocol }: ReachabilityCase,
  probe: Probe,
): Promise<Reachability> {
  const collected: Record<string, Record<string, boolean>> = {};
  for (const [from, row] of Object.entries(reachable)) {
    const got: Record<string, boolean> = {};
    for (const to of Object.keys(row)) got[to] = await probe({ from, to, port, protocol });
    collected[from] = got;
  }
  return collected;
}

/** The pairs in which two tables differ, such as `x/a -> y/b: false`, with the first one's value. */
export function differingPairs(one: Reachability, other: Reachability): readonly string[] {
  return Object.entries(one).flatMap(([from, row]) =>
    Object.entries(row)
      .filter(([to, reaches]) => other[from]?.[to] !== reaches)
      .map(([to, reaches]) => `${from} -> ${to}: ${reaches}`),
  );
}

/**
 * Namespaces, one Deployment a pod, and the policies. The pod `NAMESPACE/POD` becomes the workload `NAMESPACE/POD-0`.
 * Its container serves 80, 81 and the port that is asked for, under names such as `serve-80-tcp`.
 */
export function meshOfCase({ pods, policies, setup = {}, port }: ReachabilityCase): string {
  const namespaces = [...new Set(pods.map((pod) => namespaceOf(pod)))];
  const ports = [...new Set([...SERVED_PORTS, port])];
  return yamlOf([
    ...namespaces.map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: setup.namespaceLabels?.[name] ?? {} },
    })),
    ...pods.map((pod) => {
      const [namespace = "", name = ""] = pod.split("/");
      const labels = { pod: name, ...setup.podLabels?.[pod] };
      return deploymentOf({ namespace, name, labels, ports });
    }),
    ...policies,
  ]);
}

function namespaceOf(pod: string): string {
  return pod.split("/")[0] ?? "";
}

function deploymentOf({
  namespace,
  name,
  labels,
  ports,
}: {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
}): UpstreamObject {
  const served = ports.map((containerPort) => ({
    name: `serve-${containerPort}-tcp`,
    containerPort,
  }));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "serve", image: "serve", ports: served }] },
      },
    },
  };
}
