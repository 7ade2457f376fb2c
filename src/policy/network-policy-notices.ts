/** NetworkPolicies that bind nobody, mean nobody, or name a Service's port where the container's counts. */
import { closestName } from "../api/closest-name.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../api/network-policy.ts";
import { quoted } from "../api/quoted.ts";
import type { Notice } from "../api/resource.ts";
import type { Service, ServicePort } from "../api/service.ts";
import { formatSetSelector, type SetSelector, selectsSet } from "../api/set-selector.ts";
import { isBehind } from "./mesh-snapshot.ts";
import { nameHint } from "./name-hint.ts";
import type { KnownPod, NetworkInventory } from "./network-inventory.ts";
import { NAMESPACE_NAME_LABEL } from "./network-peer.ts";
import { meansPeer, namedPort } from "./network-policy.ts";
import { selectorNotice } from "./selector-notices.ts";

/** Of a policy that binds nobody, nothing else matters. */
export function networkPolicyNotices(policy: NetworkPolicy, inventory: NetworkInventory): Notice[] {
  const unselective = namespaceNotice(policy, inventory) ?? podSelectorNotice(policy, inventory);
  if (unselective !== undefined) return [unselective];
  return (["ingress", "egress"] as const).flatMap((direction) =>
    policy[direction].flatMap((rule, index) => {
      const path = `spec.${direction}[${index}]`;
      const peerField = direction === "ingress" ? "from" : "to";
      const called = calledPods(policy, { inventory, direction, rule });
      return [
        ...rule.peers.flatMap((peer, item) =>
          peerNotices(peer, { policy, inventory, path: `${path}.${peerField}[${item}]` }),
        ),
        ...rule.ports.flatMap((port, item) =>
          servicePortNotices(port, { policy, inventory, called, path: `${path}.ports[${item}]` }),
        ),
      ];
    }),
  );
}

interface Written {
  readonly policy: NetworkPolicy;
  readonly inventory: NetworkInventory;
  readonly path: string;
}

function namespaceNotice(
  { meta }: NetworkPolicy,
  { mesh: { namespaces } }: NetworkInventory,
): Notice | undefined {
  if (namespaces.has(meta.namespace)) return undefined;
  const hint = nameHint(meta.namespace, {
    known: [...namespaces],
    otherwise: (names) => `the namespaces here: ${names}`,
  });
  const message = `${quoted(meta.namespace)} has neither a Namespace nor a workload, so this policy has no effect; ${hint}`;
  return { source: meta.source, path: "metadata.namespace", message };
}

function podSelectorNotice(
  { meta, podSelector }: NetworkPolicy,
  { mesh }: NetworkInventory,
): Notice | undefined {
  return unmatchedNotice(mesh, {
    source: meta.source,
    path: "spec.podSelector",
    selector: podSelector,
    namespace: meta.namespace,
    consequence: "this policy has no effect",
  });
}

function peerNotices(
  peer: NetworkPolicyPeer,
  { policy: { meta }, inventory, path }: Written,
): Notice[] {
  if (peer.kind === "block") return [];
  const source = { file: meta.source.file, line: peer.line };
  if (peer.namespaceSelector !== undefined) {
    const message = misspeltNamespace(peer.namespaceSelector, inventory);
    return message === undefined
      ? []
      : [{ source, path: `${path}.namespaceSelector.matchLabels`, message }];
  }
  const unmatched = unmatchedNotice(inventory.mesh, {
    source,
    path: `${path}.podSelector`,
    selector: peer.podSelector ?? EVERYTHING,
    namespace: meta.namespace,
    consequence: "this entry means nobody",
  });
  return unmatched === undefined ? [] : [unmatched];
}

const EVERYTHING: SetSelector = { matchLabels: {}, matchExpressions: [] };

/** Namespaces of the cluster itself, such as kube-system, are in nobody's files: only what looks like a slip is told. */
function misspeltNamespace(
  selector: SetSelector,
  { namespaceLabels }: NetworkInventory,
): string | undefined {
  const name = selector.matchLabels[NAMESPACE_NAME_LABEL];
  const known = [...namespaceLabels.keys()];
  if (name === undefined || known.includes(name)) return undefined;
  const meant = closestName(name, known);
  if (meant === undefined) return undefined;
  return `${quoted(name)} is no namespace here, so this entry means nobody; did you mean ${meant}?`;
}

interface UnmatchedOptions {
  readonly source: Notice["source"];
  /** Of the selector. */
  readonly path: string;
  readonly selector: SetSelector;
  readonly namespace: string;
  readonly consequence: string;
}

function unmatchedNotice(
  mesh: NetworkInventory["mesh"],
  { path, selector, namespace, ...written }: UnmatchedOptions,
): Notice | undefined {
  const { matchLabels, matchExpressions } = selector;
  if (matchExpressions.length === 0) {
    return selectorNotice(mesh, {
      ...written,
      path: `${path}.matchLabels`,
      selector: matchLabels,
      reach: { namespace },
    });
  }
  const within = mesh.pods.filter((pod) => pod.namespace === namespace);
  if (within.some(({ labels }) => selectsSet(selector, labels))) return undefined;
  const message = `${formatSetSelector(selector)} matches no workload of namespace ${namespace}, so ${written.consequence}`;
  return { source: written.source, path, message };
}

/** Whose ports a rule speaks of: the policy's own pods, or those that they call. */
function calledPods(
  { meta: { namespace }, podSelector }: NetworkPolicy,
  {
    inventory: { pods },
    direction,
    rule,
  }: {
    readonly inventory: NetworkInventory;
    readonly direction: "ingress" | "egress";
    readonly rule: NetworkPolicy["ingress"][number];
  },
): readonly KnownPod[] {
  if (direction === "egress")
    return pods.filter(({ peer }) => meansPeer(rule, { peer, namespace }));
  return pods.filter(
    ({ pod }) => pod.namespace === namespace && selectsSet(podSelector, pod.labels),
  );
}

/** To declare a port is optional: only pods that all declare others are taken to lack it. */
function servicePortNotices(
  written: NetworkPolicyPort,
  { policy, inventory, path, called }: Written & { readonly called: readonly KnownPod[] },
): Notice[] {
  const { port, endPort, protocol, line } = written;
  if (port === undefined || endPort !== undefined || protocol !== "TCP") return [];
  const isDeclared = called.some(
    ({ pod, peer }) =>
      pod.ports.length === 0 ||
      pod.ports.some(({ containerPort }) => containerPort === namedPort(written, peer)),
  );
  if (isDeclared) return [];
  const found = inventory.services.flatMap((service) => portCalled(service, { port, called }));
  const [first] = found;
  if (first === undefined) return [];
  const { service, targetPort } = first;
  const message = `${port} is a port of Service ${service.meta.namespace}/${service.meta.name}, and here the container's own port counts, which is ${targetPort}, so this opens nothing; write ${targetPort}`;
  return [{ source: { file: policy.meta.source.file, line }, path: `${path}.port`, message }];
}

/** A port of a service in front of the pods, by its number or name, that leads to another port of theirs. */
function portCalled(
  service: Service,
  { port, called }: { readonly port: number | string; readonly called: readonly KnownPod[] },
): { readonly service: Service; readonly targetPort: ServicePort["targetPort"] }[] {
  if (!called.some(({ pod }) => isBehind(service, pod))) return [];
  return service.ports
    .filter((each) => each.port === port || each.name === port)
    .map(({ targetPort }) => ({ service, targetPort }));
}
