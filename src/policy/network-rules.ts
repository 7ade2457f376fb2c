/** From NetworkPolicies to addresses and ports: what a kernel can hold one pod to. Pure. */
import type { NetworkPolicy, NetworkPolicyPort, NetworkPolicyRule } from "../api/network-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type AddressFamily, type NetworkPod, networkPod } from "./network-peer.ts";
import { isMeant, isolatingPolicies, meansPeer, namedPort, refOfPolicy } from "./network-policy.ts";
import type {
  NetworkAllowance,
  PeerAddress,
  PeerBlock,
  PodNetworkRules,
  PortRange,
} from "./pod-network-rules.ts";
import type { Workload } from "./workload.ts";

/** What of a snapshot NetworkPolicies are about. */
export type NetworkSnapshot = Pick<
  MeshSnapshot,
  "workloads" | "networkPolicies" | "namespaceLabels"
>;

const FAMILIES: readonly AddressFamily[] = ["ipv4", "ipv6"];
const LAST_PORT = 65_535;

/**
 * The rules of one pod. Of peers only those appear that have addresses of their own. What a pod says to itself never
 * leaves it, so that the rules say nothing of it.
 */
export function resolvePodNetworkRules(
  snapshot: NetworkSnapshot,
  workload: Workload,
): PodNetworkRules {
  const policies = snapshot.networkPolicies.get(workload.namespace) ?? [];
  const pod = networkPod(snapshot, { workload });
  const ingress = isolatingPolicies(policies, { pod, direction: "ingress" });
  const egress = isolatingPolicies(policies, { pod, direction: "egress" });
  const peers = ingress.length + egress.length === 0 ? [] : addressedPods(snapshot);
  return {
    ingress:
      ingress.length === 0
        ? "open"
        : ingress.flatMap((policy) => ingressAllowances(policy, { pod, peers })),
    egress:
      egress.length === 0 ? "open" : egress.flatMap((policy) => egressAllowances(policy, peers)),
  };
}

/** Every pod, once for each of its addresses. */
function addressedPods(snapshot: NetworkSnapshot): readonly NetworkPod[] {
  return snapshot.workloads
    .filter(({ addresses }) => addresses !== undefined)
    .flatMap((workload) => FAMILIES.map((family) => networkPod(snapshot, { workload, family })));
}

function ingressAllowances(
  policy: NetworkPolicy,
  { pod, peers }: { readonly pod: NetworkPod; readonly peers: readonly NetworkPod[] },
): NetworkAllowance[] {
  return policy.ingress.flatMap((rule) =>
    allowance({
      policy: refOfPolicy(policy),
      peers: resolvePeers(rule, { policy, peers }),
      ports: rule.ports.length === 0 ? "all" : portRanges(rule.ports, pod),
    }),
  );
}

/** Ports that have names are those of whoever is called: they make an allowance of their own. */
function egressAllowances(policy: NetworkPolicy, peers: readonly NetworkPod[]): NetworkAllowance[] {
  return policy.egress.flatMap((rule) => {
    const named = rule.ports.filter(({ port }) => typeof port === "string");
    const numbered = rule.ports.filter(({ port }) => typeof port !== "string");
    return [
      ...allowance({
        policy: refOfPolicy(policy),
        peers: resolvePeers(rule, { policy, peers }),
        ports: rule.ports.length === 0 ? "all" : portRanges(numbered, { ports: [] }),
      }),
      ...namedAllowance(rule, { policy, peers, named }),
    ];
  });
}

function namedAllowance(
  rule: NetworkPolicyRule,
  {
    policy,
    peers,
    named,
  }: {
    readonly policy: NetworkPolicy;
    readonly peers: readonly NetworkPod[];
    readonly named: readonly NetworkPolicyPort[];
  },
): NetworkAllowance[] {
  const { namespace } = policy.meta;
  const resolved = peers
    .filter((peer) => meansPeer(rule, { peer, namespace }))
    .map((peer) => ({ address: peer.address, ports: portRanges(named, peer) }))
    .filter(({ ports }) => ports.length > 0);
  if (resolved.length === 0) return [];
  return [{ policy: refOfPolicy(policy), peers: resolved, ports: [] }];
}

/** None where nobody, or no port, is left. */
function allowance(resolved: NetworkAllowance): NetworkAllowance[] {
  return resolved.peers.length === 0 || resolved.ports.length === 0 ? [] : [resolved];
}

function resolvePeers(
  { peers: written }: NetworkPolicyRule,
  { policy, peers }: { readonly policy: NetworkPolicy; readonly peers: readonly NetworkPod[] },
): NetworkAllowance["peers"] {
  if (written.length === 0) return "anyone";
  const { namespace } = policy.meta;
  const selectors = written.filter(({ kind }) => kind === "pods");
  const addresses = peers
    .filter((peer) => selectors.some((each) => isMeant(each, { peer, namespace })))
    .map(({ address }): PeerAddress => ({ address }));
  const blocks = written.flatMap((each): PeerBlock[] =>
    each.kind === "block" ? [{ cidr: each.cidr, except: each.except }] : [],
  );
  return [...addresses, ...blocks];
}

function portRanges(
  ports: readonly NetworkPolicyPort[],
  pod: Pick<NetworkPod, "ports">,
): PortRange[] {
  return ports.flatMap((each) => {
    const { protocol, endPort } = each;
    if (each.port === undefined) return [{ protocol, from: 0, to: LAST_PORT }];
    const from = namedPort(each, pod);
    return from === undefined ? [] : [{ protocol, from, to: endPort ?? from }];
  });
}
