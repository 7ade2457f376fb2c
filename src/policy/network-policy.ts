/**
 * What NetworkPolicies say of one connection. Policies add up: a pod that some policy isolates in a direction is let do
 * what any of its policies allows there, and both ends have to agree. Pure.
 * Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import { cidrContains, parseCidr, parseIpAddress } from "../api/cidr.ts";
import type {
  NetworkDirection,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicyRule,
  NetworkProtocol,
} from "../api/network-policy.ts";
import type { ResourceRef } from "../api/resource.ts";
import { selectsSet } from "../api/set-selector.ts";
import type { NetworkPeer, NetworkPod } from "./network-peer.ts";
import type { NetworkRefusal } from "./workload-view.ts";

export interface NetworkConnection {
  readonly source: NetworkPeer;
  readonly destination: NetworkPeer;
  /** Of the destination: a container's port, never a service's. */
  readonly port: number;
  readonly protocol: NetworkProtocol;
}

/**
 * Whether a connection may come about. Where both ends refuse, the source's refusal is told: it comes first.
 *
 * @param policies of any namespaces; those of others than the two pods' do not count
 */
export function judgeNetworkPolicy(
  policies: readonly NetworkPolicy[],
  connection: NetworkConnection,
): NetworkRefusal | "allowed" {
  const egress = judgeDirection(policies, { ...connection, direction: "egress" });
  if (egress !== "allowed") return egress;
  return judgeDirection(policies, { ...connection, direction: "ingress" });
}

/** As above, for the source ("egress") or the destination ("ingress") alone. */
export function judgeDirection(
  policies: readonly NetworkPolicy[],
  connection: NetworkConnection & { readonly direction: NetworkDirection },
): NetworkRefusal | "allowed" {
  const { source, destination, direction } = connection;
  const isolated = direction === "egress" ? source : destination;
  if (isolated.kind === "outside") return "allowed";
  return judgeIsolation(isolatingPolicies(policies, { pod: isolated, direction }), connection);
}

/** As above, where those policies are known that isolate the end in question. */
export function judgeIsolation(
  isolating: readonly NetworkPolicy[],
  connection: NetworkConnection & { readonly direction: NetworkDirection },
): NetworkRefusal | "allowed" {
  const { source, destination, direction } = connection;
  if (isolating.length === 0 || isSamePod(source, destination)) return "allowed";
  const peer = direction === "egress" ? destination : source;
  const isAllowed = isolating.some((policy) =>
    policy[direction].some(
      (rule) =>
        opensPort(rule, connection) && meansPeer(rule, { peer, namespace: policy.meta.namespace }),
    ),
  );
  return isAllowed ? "allowed" : { direction, policies: isolating.map(refOfPolicy) };
}

/** Those by which a pod is isolated in a direction. */
export function isolatingPolicies(
  policies: readonly NetworkPolicy[],
  {
    pod: { namespace, labels },
    direction,
  }: {
    readonly pod: Pick<NetworkPod, "namespace" | "labels">;
    readonly direction: NetworkDirection;
  },
): readonly NetworkPolicy[] {
  return policies.filter(
    ({ meta, podSelector, directions }) =>
      meta.namespace === namespace &&
      directions.includes(direction) &&
      selectsSet(podSelector, labels),
  );
}

/** Whether a rule of a policy in `namespace` means a peer; a rule without peers means everybody. */
export function meansPeer(
  { peers }: Pick<NetworkPolicyRule, "peers">,
  { peer, namespace }: { readonly peer: NetworkPeer; readonly namespace: string },
): boolean {
  return peers.length === 0 || peers.some((each) => isMeant(each, { peer, namespace }));
}

/** Whether one entry of `from` or `to` means a peer. */
export function isMeant(
  written: NetworkPolicyPeer,
  { peer, namespace }: { readonly peer: NetworkPeer; readonly namespace: string },
): boolean {
  if (written.kind === "block") return isInBlock(written, peer.address);
  if (peer.kind === "outside") return false;
  const { podSelector, namespaceSelector } = written;
  const isInNamespace =
    namespaceSelector === undefined
      ? peer.namespace === namespace
      : selectsSet(namespaceSelector, peer.namespaceLabels);
  return isInNamespace && (podSelector === undefined || selectsSet(podSelector, peer.labels));
}

/** Whether an address lies in a block, and in nothing that is carved out of it. */
export function isInBlock(
  { cidr, except }: { readonly cidr: string; readonly except: readonly string[] },
  address: string,
): boolean {
  return isInRange(cidr, address) && !except.some((range) => isInRange(range, address));
}

/** The number that a port of a policy means on a pod; undefined where the pod has no port of that name. */
export function namedPort(
  { port, protocol }: Pick<NetworkPolicyPort, "port" | "protocol">,
  { ports }: Pick<NetworkPod, "ports">,
): number | undefined {
  if (typeof port !== "string") return port;
  return ports.find((each) => each.name === port && each.protocol === protocol)?.port;
}

export function refOfPolicy({ kind, meta: { namespace, name } }: NetworkPolicy): ResourceRef {
  return { kind, namespace, name };
}

function isSamePod(one: NetworkPeer, other: NetworkPeer): boolean {
  if (one.kind === "outside" || other.kind === "outside") return false;
  return one.namespace === other.namespace && one.name === other.name;
}

/** Whether a rule means a port of the destination; one without ports means all of them. */
export function opensPort(
  { ports }: Pick<NetworkPolicyRule, "ports">,
  { port, protocol, destination }: Omit<NetworkConnection, "source">,
): boolean {
  if (ports.length === 0) return true;
  return ports.some((each) => {
    if (each.protocol !== protocol) return false;
    if (each.port === undefined) return true;
    const pod = destination.kind === "pod" ? destination : { ports: [] };
    const first = namedPort(each, pod);
    return first !== undefined && first <= port && port <= (each.endPort ?? first);
  });
}

function isInRange(range: string, text: string): boolean {
  const [cidr, address] = [parseCidr(range), parseIpAddress(text)];
  return cidr !== undefined && address !== undefined && cidrContains(cidr, address);
}
