/** The two ends of a connection as NetworkPolicies see them: pods with labels, or mere addresses. */
import type { NetworkProtocol } from "../api/network-policy.ts";
import type { Labels } from "../api/resource.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";

export interface NetworkPod {
  readonly kind: "pod";
  readonly namespace: string;
  /** Tells it apart from other pods of its namespace. */
  readonly name: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
  /** By which it takes part in the connection. */
  readonly address: string;
  readonly ports: readonly NamedPort[];
}

/** A container port; "" for one without a name. */
export interface NamedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: NetworkProtocol;
}

/** Whoever is no pod of the mesh: no selector of pods or namespaces ever means it. */
export interface OutsideAddress {
  readonly kind: "outside";
  readonly address: string;
}

export type NetworkPeer = NetworkPod | OutsideAddress;

export type AddressFamily = "ipv4" | "ipv6";

/** Where pods share the machine's loopback, none has an address of its own. */
export const SHARED_ADDRESS = "127.0.0.1";

/** Which the API server puts on every namespace. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** A workload as a peer, by its IPv4 address unless the other is asked for. */
export function networkPod(
  { namespaceLabels }: Pick<MeshSnapshot, "namespaceLabels">,
  { workload, family = "ipv4" }: { readonly workload: Workload; readonly family?: AddressFamily },
): NetworkPod {
  const { namespace, name, labels, addresses, ports } = workload;
  return {
    kind: "pod",
    namespace,
    name,
    labels,
    namespaceLabels: labelsOfNamespace(namespace, namespaceLabels.get(namespace)),
    address: addresses?.[family] ?? SHARED_ADDRESS,
    ports: ports.map(({ name, containerPort }) => ({ name, port: containerPort, protocol: "TCP" })),
  };
}

/** Those that are written, and the name, which can't be written otherwise. */
export function labelsOfNamespace(namespace: string, written: Labels = {}): Labels {
  return { ...written, [NAMESPACE_NAME_LABEL]: namespace };
}
