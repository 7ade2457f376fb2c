/** The same NetworkPolicy tables, asked of real pods: each case becomes pods, policies, and who should reach whom. */
import { join } from "node:path";
import { cidrContains, parseCidr, parseIpAddress } from "../../src/api/cidr.ts";
import type { ReachabilityCase } from "./collect-reachability.ts";
import type { EnforcedMesh } from "./enforced-mesh.ts";
import {
  FIELDS,
  type PodCase,
  type ProbeCase,
  type ProbeResources,
  readJson,
  runReachability,
  type TrafficCase,
  type UpstreamPeer,
} from "./networkpolicy.ts";
import type { CaseOutcome, ConformanceCase, SuiteRunner, TableRunner } from "./suite-runner.ts";
import type { UpstreamObject } from "./upstream-objects.ts";

/** What pods are asked instead of the case, or why they cannot be. */
type Asked = { readonly test: PodCase } | { readonly skipped: string };

export function enforcedNetworkpolicy(mesh: EnforcedMesh): SuiteRunner {
  const table = (
    fields: readonly string[],
    ask: (test: ConformanceCase, folder: string) => Asked,
  ): TableRunner => ({ fields, run: (test, folder) => enforce(ask(test, folder), mesh) });
  return {
    traffic: table(FIELDS.traffic, (test) => askTraffic(test as TrafficCase)),
    "probe-tables": table(FIELDS["probe-tables"], (test, folder) =>
      askProbes(test as ProbeCase, folder),
    ),
    "kubernetes-netpol": table(FIELDS["kubernetes-netpol"], (test) => ({ test: test as PodCase })),
  };
}

function enforce(asked: Asked, mesh: EnforcedMesh): CaseOutcome | Promise<CaseOutcome> {
  if ("skipped" in asked) return { outcome: "skipped", reason: asked.skipped };
  const { test } = asked;
  if (test.protocol !== "TCP") {
    return { outcome: "skipped", reason: `${test.protocol}: pods try each other by TCP alone` };
  }
  return runReachability(test, (known) => mesh.probing(known));
}

function askTraffic(test: TrafficCase): Asked {
  const { source_peer: source, destination, policies, portName, name, protocol } = test;
  const port = test.port ?? 0;
  if (source.namespace === undefined || destination.namespace === undefined) {
    return { skipped: "one end is an address outside, not a pod" };
  }
  if (portName !== undefined && portName !== `serve-${port}-tcp`) {
    return { skipped: `no pod here names a port ${portName}` };
  }
  const from = `${source.namespace}/${source.podLabels?.["pod"] ?? "source"}`;
  const to = `${destination.namespace}/${destination.podLabels?.["pod"] ?? "destination"}`;
  const ends = [
    [from, source],
    [to, destination],
  ] as const;
  const setup = setupOf(ends);
  const reachable = { [from]: { [to]: test.allowed } };
  const pods = ends.map(([pod]) => pod);
  return unlessByAddress(
    { name, pods, policies, setup, port, protocol, reachable },
    ends.map(([, { ip }]) => ip),
  );
}

function setupOf(
  ends: readonly (readonly [pod: string, peer: UpstreamPeer])[],
): NonNullable<ReachabilityCase["setup"]> {
  return {
    namespaceLabels: Object.fromEntries(
      ends.map(([, { namespace = "", namespaceLabels = {} }]) => [namespace, namespaceLabels]),
    ),
    podLabels: Object.fromEntries(ends.map(([pod, { podLabels = {} }]) => [pod, podLabels])),
  };
}

/**
 * A row that is about one direction is asked with the policies of that direction alone. What a pod may say to itself is
 * left out: upstream means another pod that is just like it.
 */
function askProbes(test: ProbeCase, folder: string): Asked {
  const { policies } = readJson<{ policies: readonly UpstreamObject[] }>(
    join(folder, test.policiesFile),
  );
  const { Namespaces, Pods } = readJson<ProbeResources>(join(folder, test.resourcesFile)).Resources;
  const { name, direction, port, protocol, from, allowedTo } = test;
  const others = Object.entries(allowedTo).filter(([to]) => to !== from);
  const podOf = ({ Namespace, Name }: (typeof Pods)[number]): string => `${Namespace}/${Name}`;
  const asked: PodCase = {
    name,
    pods: Pods.map(podOf),
    policies:
      direction === "combined"
        ? policies
        : policies.flatMap((policy) => onlyDirection(policy, direction)),
    setup: {
      namespaceLabels: Namespaces,
      podLabels: Object.fromEntries(Pods.map((pod) => [podOf(pod), pod.Labels])),
    },
    port,
    protocol,
    reachable: { [from]: Object.fromEntries(others) },
  };
  return unlessByAddress(
    asked,
    Pods.map(({ IP }) => IP),
  );
}

function onlyDirection(
  policy: UpstreamObject,
  direction: "ingress" | "egress",
): readonly UpstreamObject[] {
  const spec = policy.spec as { policyTypes?: readonly string[]; egress?: unknown };
  const implied = spec.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"];
  const kept = (spec.policyTypes ?? implied).filter((one) => one.toLowerCase() === direction);
  return kept.length === 0 ? [] : [{ ...policy, spec: { ...spec, policyTypes: kept } }];
}

/** Pods have addresses of the mesh's own choosing: a case that turns on those of upstream's pods is another case here. */
function unlessByAddress(test: PodCase, addresses: readonly string[]): Asked {
  const blocks = [...JSON.stringify(test.policies).matchAll(/"([\d.a-f:]+\/\d+)"/g)];
  const meant = blocks
    .map(([, text = ""]) => parseCidr(text))
    .some(
      (cidr) =>
        cidr?.prefixLength !== 0 &&
        addresses
          .map(parseIpAddress)
          .some((address) => cidr && address && cidrContains(cidr, address)),
    );
  return meant ? { skipped: "turns on an address that no pod has here" } : { test };
}
