/** Kubernetes NetworkPolicy, against the tables of cyclonus and of Kubernetes' own end-to-end tests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkPolicy, NetworkProtocol } from "../../src/api/network-policy.ts";
import type { Labels } from "../../src/api/resource.ts";
import { buildSnapshot, type MeshSnapshot, ofKind } from "../../src/policy/mesh-snapshot.ts";
import {
  labelsOfNamespace,
  type NamedPort,
  type NetworkPeer,
  type NetworkPod,
  networkPod,
} from "../../src/policy/network-peer.ts";
import { judgeDirection, judgeNetworkPolicy } from "../../src/policy/network-policy.ts";
import { networkRefusal } from "../../src/policy/network-refusal.ts";
import { planWorkloads } from "../../src/policy/plan-workloads.ts";
import type { Workload } from "../../src/policy/workload.ts";
import {
  collectReachability,
  differingPairs,
  meshOfCase,
  type Probe,
  type ReachabilityCase,
} from "./collect-reachability.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type SuiteRunner,
} from "./suite-runner.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "./upstream-objects.ts";

/** By table. */
export const FIELDS = {
  traffic: ["policies", "source_peer", "destination", "port", "portName", "protocol", "allowed"],
  "probe-tables": [
    "policiesFile",
    "resourcesFile",
    "direction",
    "protocol",
    "port",
    "from",
    "allowedTo",
  ],
  "kubernetes-netpol": ["pods", "policies", "setup", "port", "protocol", "reachable"],
} as const;

export const networkpolicy: SuiteRunner = {
  traffic: { fields: FIELDS.traffic, run: (test) => runTraffic(test as TrafficCase) },
  "probe-tables": {
    fields: FIELDS["probe-tables"],
    run: (test, folder) => runProbes(test as ProbeCase, folder),
  },
  "kubernetes-netpol": {
    fields: FIELDS["kubernetes-netpol"],
    run: (test) => runReachability(test as PodCase, judgingProbe),
  },
};

export type PodCase = ConformanceCase & ReachabilityCase;

/** A peer with a namespace is a pod; any other is an address outside. */
export interface UpstreamPeer {
  readonly namespace?: string;
  readonly namespaceLabels?: Labels;
  readonly podLabels?: Labels;
  readonly ip: string;
}

export type TrafficCase = ConformanceCase & {
  readonly policies: readonly UpstreamObject[];
  readonly source_peer: UpstreamPeer;
  readonly destination: UpstreamPeer;
  /** Null where the connection is known by the port's name alone. */
  readonly port: number | null;
  readonly portName?: string;
  readonly protocol: NetworkProtocol;
  readonly allowed: boolean;
};

const SOME_PORT = 8080;

function runTraffic(test: TrafficCase): CaseOutcome {
  const { policies, source_peer: source, destination, protocol, portName } = test;
  const port = test.port ?? SOME_PORT;
  const ports = portName === undefined ? [] : [{ name: portName, port, protocol }];
  const judged = judgeNetworkPolicy(policiesIn(policies), {
    source: peerOf(source, { name: "source", ports: [] }),
    destination: peerOf(destination, { name: "destination", ports }),
    port,
    protocol,
  });
  return compare({ expected: verdict(test.allowed), got: verdict(judged === "allowed") });
}

function peerOf(
  { namespace, namespaceLabels, podLabels = {}, ip }: UpstreamPeer,
  { name, ports }: { readonly name: string; readonly ports: readonly NamedPort[] },
): NetworkPeer {
  if (namespace === undefined) return { kind: "outside", address: ip };
  return {
    kind: "pod",
    namespace,
    name,
    labels: podLabels,
    namespaceLabels: labelsOfNamespace(namespace, namespaceLabels),
    address: ip,
    ports,
  };
}

export type ProbeCase = ConformanceCase & {
  readonly policiesFile: string;
  readonly resourcesFile: string;
  readonly direction: "ingress" | "egress" | "combined";
  readonly protocol: NetworkProtocol;
  readonly port: number;
  readonly from: string;
  readonly allowedTo: Readonly<Record<string, boolean>>;
};

export interface ProbeResources {
  readonly Resources: {
    readonly Namespaces: Readonly<Record<string, Labels>>;
    readonly Pods: readonly ProbePod[];
  };
}

export interface ProbePod {
  readonly Namespace: string;
  readonly Name: string;
  readonly Labels: Labels;
  readonly IP: string;
  readonly Containers: readonly {
    readonly Port: number;
    readonly PortName: string;
    readonly Protocol: string;
  }[];
}

/**
 * Upstream's tables judge by labels alone, so that a pod's row has a verdict on the pod itself too; here as there that
 * cell is about another pod that is just like it.
 */
function runProbes(test: ProbeCase, folder: string): CaseOutcome {
  const { policies: written } = readJson<{ policies: readonly UpstreamObject[] }>(
    join(folder, test.policiesFile),
  );
  const { Resources: resources } = readJson<ProbeResources>(join(folder, test.resourcesFile));
  const policies = policiesIn(written);
  const source = { ...probePod(test.from, resources), name: "the one that asks" };
  const { port, protocol, direction } = test;
  const allows = (to: string): boolean => {
    const connection = { source, destination: probePod(to, resources), port, protocol };
    const judged =
      direction === "combined"
        ? judgeNetworkPolicy(policies, connection)
        : judgeDirection(policies, { ...connection, direction });
    return judged === "allowed";
  };
  const got = Object.keys(test.allowedTo).map((to) => [to, allows(to)] as const);
  return compare({
    expected: row(Object.entries(test.allowedTo)),
    got: row(got),
  });
}

function row(cells: readonly (readonly [to: string, allowed: boolean])[]): string {
  return cells.map(([to, allowed]) => `${to} ${verdict(allowed)}`).join(", ");
}

function probePod(key: string, { Namespaces, Pods }: ProbeResources["Resources"]): NetworkPod {
  const pod = Pods.find(({ Namespace, Name }) => `${Namespace}/${Name}` === key);
  if (pod === undefined) throw new Error(`no pod ${key} among the resources`);
  return {
    kind: "pod",
    namespace: pod.Namespace,
    name: pod.Name,
    labels: pod.Labels,
    namespaceLabels: labelsOfNamespace(pod.Namespace, Namespaces[pod.Namespace]),
    address: pod.IP,
    ports: pod.Containers.map(({ Port, PortName, Protocol }) => ({
      name: PortName,
      port: Port,
      protocol: Protocol.toUpperCase() as NetworkProtocol,
    })),
  };
}

const KNOWN_SETUP = ["namespaceLabels", "podLabels"];

/** @param probeOf what is asked for each pair */
export async function runReachability(
  test: PodCase,
  probeOf: (test: ReachabilityCase) => Probe | Promise<Probe>,
): Promise<CaseOutcome> {
  const unknown = Object.keys(test.setup ?? {}).filter((key) => !KNOWN_SETUP.includes(key));
  if (unknown.length > 0) {
    return { outcome: "skipped", reason: `setup not understood: ${unknown.join(", ")}` };
  }
  const got = await collectReachability(test, await probeOf(test));
  const pairs = differingPairs(test.reachable, {}).join(", ");
  const differences = differingPairs(test.reachable, got);
  if (differences.length === 0) return compare({ expected: pairs, got: pairs });
  const expected = differences.join(", ");
  return { outcome: "failed", expected, got: differingPairs(got, test.reachable).join(", ") };
}

/** Judges by the snapshot of the case's mesh, as `explain` and the views of sidecars do. */
function judgingProbe(test: ReachabilityCase): Probe {
  const resources = resourcesIn(meshOfCase(test));
  const workloads = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: 0 }),
    uid: (key) => key,
  });
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [] });
  return ({ from, to, port, protocol }) => {
    const [caller, callee] = [workloadOf(snapshot, from), workloadOf(snapshot, to)];
    if (protocol === "TCP") {
      const asked = { from: caller, to: callee, containerPort: port };
      return networkRefusal(snapshot, asked) === undefined;
    }
    const source = networkPod(snapshot, { workload: caller });
    const destination = servingAll(networkPod(snapshot, { workload: callee }), protocol);
    const policies = ofKind(resources, "NetworkPolicy");
    return judgeNetworkPolicy(policies, { source, destination, port, protocol }) === "allowed";
  };
}

/** Workloads of the mesh serve TCP alone; upstream's serve the same ports by every protocol. */
function servingAll(pod: NetworkPod, protocol: NetworkProtocol): NetworkPod {
  const ports = pod.ports.map(({ port }) => ({
    name: `serve-${port}-${protocol.toLowerCase()}`,
    port,
    protocol,
  }));
  return { ...pod, ports };
}

function workloadOf({ workloads }: MeshSnapshot, pod: string): Workload {
  const found = workloads.find(({ namespace, name }) => `${namespace}/${name}` === `${pod}-0`);
  if (found === undefined) throw new Error(`no workload for pod ${pod}`);
  return found;
}

function policiesIn(objects: readonly UpstreamObject[]): readonly NetworkPolicy[] {
  return ofKind(resourcesIn(yamlOf(objects)), "NetworkPolicy");
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8"));
}

function verdict(allowed: boolean): string {
  return allowed ? "allowed" : "refused";
}
