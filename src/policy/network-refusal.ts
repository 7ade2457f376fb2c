/** Why NetworkPolicies of a mesh refuse a TCP connection to one of its pods: what `explain` and every sidecar's view go by. */
import type { NetworkDirection, NetworkPolicy } from "../api/network-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type NetworkPeer, type NetworkPod, networkPod } from "./network-peer.ts";
import { isolatingPolicies, judgeIsolation } from "./network-policy.ts";
import type { Workload } from "./workload.ts";
import type { NetworkRefusal } from "./workload-view.ts";

export interface PodConnection {
  /** A pod, or the IP address of a caller that is none. */
  readonly from: Workload | string;
  readonly to: Workload;
  /** The callee's container port. */
  readonly containerPort: number;
}

type PolicySnapshot = Pick<MeshSnapshot, "networkPolicies" | "namespaceLabels">;

/** A pod, and by which policies it is isolated. */
interface IsolatedPod extends Readonly<Record<NetworkDirection, readonly NetworkPolicy[]>> {
  readonly peer: NetworkPod;
}

/** For one connection; whoever asks for many compiles first. */
export function networkRefusal(
  snapshot: PolicySnapshot,
  connection: PodConnection,
): NetworkRefusal | undefined {
  return compileNetworkRefusal(snapshot)(connection);
}

/** Finds out once for each pod which policies isolate it. The answer is undefined when the connection may come about. */
export function compileNetworkRefusal(
  snapshot: PolicySnapshot,
): (connection: PodConnection) => NetworkRefusal | undefined {
  const known = new Map<Workload, IsolatedPod>();
  const isolatedPod = (workload: Workload): IsolatedPod => {
    const found = known.get(workload) ?? isolate(snapshot, workload);
    known.set(workload, found);
    return found;
  };
  return ({ from, to, containerPort }) => {
    const callee = isolatedPod(to);
    const caller = typeof from === "string" ? outside(from) : isolatedPod(from);
    const [source, destination] = [caller.peer, callee.peer];
    const connection = { source, destination, port: containerPort, protocol: "TCP" } as const;
    return (
      refusal(judgeIsolation(caller.egress, { ...connection, direction: "egress" })) ??
      refusal(judgeIsolation(callee.ingress, { ...connection, direction: "ingress" }))
    );
  };
}

function isolate(snapshot: PolicySnapshot, workload: Workload): IsolatedPod {
  const policies = snapshot.networkPolicies.get(workload.namespace) ?? [];
  return {
    peer: networkPod(snapshot, { workload }),
    ingress: isolatingPolicies(policies, { pod: workload, direction: "ingress" }),
    egress: isolatingPolicies(policies, { pod: workload, direction: "egress" }),
  };
}

function outside(address: string): { readonly peer: NetworkPeer; readonly egress: readonly [] } {
  return { peer: { kind: "outside", address }, egress: [] };
}

function refusal(judged: NetworkRefusal | "allowed"): NetworkRefusal | undefined {
  return judged === "allowed" ? undefined : judged;
}
