/** The mesh as NetworkPolicies see it, for notices: pods of which one stands for its replicas, and that have no address yet. */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import type { NetworkPolicy } from "../api/network-policy.ts";
import type { Labels, Resource } from "../api/resource.ts";
import type { Service } from "../api/service.ts";
import type { InventoryPod, MeshInventory } from "./mesh-inventory.ts";
import { ofKind } from "./mesh-snapshot.ts";
import { labelsOfNamespace, type NetworkPod } from "./network-peer.ts";

export interface NetworkInventory {
  readonly mesh: MeshInventory;
  readonly policies: readonly NetworkPolicy[];
  readonly services: readonly Service[];
  /** ALLOW policies that bind workloads. */
  readonly allowPolicies: readonly AuthorizationPolicy[];
  readonly pods: readonly KnownPod[];
  /** Of every namespace there is, by name. */
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
}

/** A pod as the inventory has it, and as a peer. */
export interface KnownPod {
  readonly pod: InventoryPod;
  readonly peer: NetworkPod;
}

/** In no block of addresses: whether a pod will be in one is not known before it runs. */
const NO_ADDRESS = "";

export function takeNetworkInventory(
  resources: readonly Resource[],
  mesh: MeshInventory,
): NetworkInventory {
  const written = new Map(
    ofKind(resources, "Namespace").map(({ meta }) => [meta.name, meta.labels]),
  );
  const namespaceLabels = new Map(
    [...mesh.namespaces].map((name) => [name, labelsOfNamespace(name, written.get(name))]),
  );
  return {
    mesh,
    policies: ofKind(resources, "NetworkPolicy"),
    services: ofKind(resources, "Service"),
    allowPolicies: ofKind(resources, "AuthorizationPolicy").filter(
      ({ action, targetRefs }) => action === "ALLOW" && targetRefs.length === 0,
    ),
    pods: mesh.pods.map((pod, index) => ({
      pod,
      peer: {
        kind: "pod",
        namespace: pod.namespace,
        name: String(index),
        labels: pod.labels,
        namespaceLabels: namespaceLabels.get(pod.namespace) ?? labelsOfNamespace(pod.namespace),
        address: NO_ADDRESS,
        ports: pod.ports.map(({ name, containerPort }) => ({
          name,
          port: containerPort,
          protocol: "TCP",
        })),
      },
    })),
    namespaceLabels,
  };
}
