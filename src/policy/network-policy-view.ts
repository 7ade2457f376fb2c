/**
 * NetworkPolicies in the view of a sidecar. Callers are kept away from endpoints they may not reach. Where no kernel can
 * hold a pod to its policies, because it has no address of its own, its sidecar admits callers by identity instead.
 */
import type { NetworkPolicy } from "../api/network-policy.ts";
import { type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type NetworkPeer, networkPod, SHARED_ADDRESS } from "./network-peer.ts";
import { isolatingPolicies, judgeDirection, refOfPolicy } from "./network-policy.ts";
import { compileOutsideRefusals } from "./network-policy-outside.ts";
import { compileNetworkRefusal } from "./network-refusal.ts";
import type { SocketAddress, Workload } from "./workload.ts";
import type { Destination, Endpoint, InboundPort, WorkloadView } from "./workload-view.ts";

/** For the views of all workloads: adds whom NetworkPolicies keep a workload from calling, and whom from calling it. */
export function compileNetworkPolicies(
  snapshot: MeshSnapshot,
): (workload: Workload, view: WorkloadView) => WorkloadView {
  if (snapshot.networkPolicies.size === 0) return (_, view) => view;
  const refusal = compileNetworkRefusal(snapshot);
  const podAt = compilePodAt(snapshot);
  return (workload, view) => {
    const { inbound, outbound } = view;
    const outside = compileOutsideRefusals(snapshot, workload);
    const destinations = outbound.destinations.map((destination) =>
      outside(withRefusals(destination, { workload, podAt, refusal })),
    );
    return {
      ...view,
      inbound: { ...inbound, ports: withAdmission(snapshot, { workload, ports: inbound.ports }) },
      ...(view.gateway && {
        gateway: {
          ...view.gateway,
          listeners: withAdmission(snapshot, { workload, ports: view.gateway.listeners }),
        },
      }),
      outbound: {
        ...outbound,
        destinations,
        ...(outbound.subsets && {
          subsets: outbound.subsets.map((one) => ({
            ...outside(withRefusals(one, { workload, podAt, refusal })),
            subset: one.subset,
          })),
        }),
      },
    };
  };
}

/** Whatever is not refused stays the same object: views share it. */
function withRefusals(
  destination: Destination,
  {
    workload,
    podAt,
    refusal,
  }: {
    readonly workload: Workload;
    readonly podAt: PodAt;
    readonly refusal: ReturnType<typeof compileNetworkRefusal>;
  },
): Destination {
  const endpoints = destination.endpoints.map((endpoint) => {
    const to = podAt(destination, endpoint);
    const refusedBy = to && refusal({ from: workload, ...to });
    return refusedBy === undefined ? endpoint : { ...endpoint, refusedBy };
  });
  const isOpen = endpoints.every((endpoint, index) => endpoint === destination.endpoints[index]);
  return isOpen ? destination : { ...destination, endpoints };
}

interface ListeningPod {
  readonly to: Workload;
  readonly containerPort: number;
}

type PodAt = (
  destination: Pick<Destination, "serviceNamespace">,
  endpoint: Pick<Endpoint, "workload" | "address">,
) => ListeningPod | undefined;

/**
 * The pod that an endpoint is: the one of its name, or, as a ServiceEntry may call it anything, whoever listens there.
 * Each port of a pod has a socket of its own.
 */
function compilePodAt({ workloads }: MeshSnapshot): PodAt {
  const [named, listening] = [new Map<string, ListeningPod>(), new Map<string, ListeningPod>()];
  for (const to of workloads) {
    for (const { listen, containerPort } of to.ports) {
      named.set(`${to.namespace}/${to.name} ${keyOf(listen)}`, { to, containerPort });
      listening.set(keyOf(listen), { to, containerPort });
    }
  }
  return ({ serviceNamespace }, { workload, address }) =>
    named.get(`${serviceNamespace}/${workload} ${keyOf(address)}`) ?? listening.get(keyOf(address));
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}

/** What somebody may be admitted to. */
type Admitting = Pick<InboundPort, "containerPort" | "admission">;

function withAdmission<Port extends Admitting>(
  snapshot: MeshSnapshot,
  { workload, ports }: { readonly workload: Workload; readonly ports: readonly Port[] },
): readonly Port[] {
  if (workload.addresses !== undefined) return ports;
  const policies = isolatingPolicies(snapshot.networkPolicies.get(workload.namespace) ?? [], {
    pod: workload,
    direction: "ingress",
  });
  if (policies.length === 0) return ports;
  return ports.map((port) => {
    const admits = admissionTo(port.containerPort, { snapshot, workload, policies });
    const identities = snapshot.workloads
      .filter((peer) => admits(networkPod(snapshot, { workload: peer })))
      .flatMap((peer) => identitiesOf(snapshot, peer));
    return {
      ...port,
      admission: {
        policies: policies.map(refOfPolicy),
        identities: [...new Set(identities)].sort(),
        anyone: admits({ kind: "outside", address: SHARED_ADDRESS }),
      },
    };
  });
}

/** What the policies of the callee say; what those of the caller say, the caller's own sidecar holds it to. */
function admissionTo(
  port: number,
  {
    snapshot,
    workload,
    policies,
  }: {
    readonly snapshot: MeshSnapshot;
    readonly workload: Workload;
    readonly policies: readonly NetworkPolicy[];
  },
): (source: NetworkPeer) => boolean {
  const destination = networkPod(snapshot, { workload });
  const connection = { destination, port, protocol: "TCP", direction: "ingress" } as const;
  return (source) => judgeDirection(policies, { ...connection, source }) === "allowed";
}

/** In every trust domain that is ours: a pod may still prove the one it had before (CA-55). */
function identitiesOf(
  { settings: { trustDomain, trustDomainAliases } }: MeshSnapshot,
  { namespace, serviceAccount }: Workload,
): SpiffeId[] {
  return [trustDomain, ...trustDomainAliases].map((domain) =>
    spiffeId({ trustDomain: domain, namespace, serviceAccount }),
  );
}
