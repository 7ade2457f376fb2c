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
import type { Workload } from "./workload.ts";
import type { Destination, Endpoint, InboundPort, WorkloadView } from "./workload-view.ts";

/** For the views of all workloads: adds whom NetworkPolicies keep a workload from calling, and whom from calling it. */
export function compileNetworkPolicies(
  snapshot: MeshSnapshot,
): (workload: Workload, view: WorkloadView) => WorkloadView {
  if (snapshot.networkPolicies.size === 0) return (_, view) => view;
  const refusal = compileNetworkRefusal(snapshot);
  const workloads = new Map(snapshot.workloads.map((each) => [keyOf(each), each]));
  return (workload, view) => {
    const { inbound, outbound } = view;
    const outside = compileOutsideRefusals(snapshot, workload);
    const destinations = outbound.destinations.map((destination) =>
      outside(withRefusals(destination, { workload, workloads, refusal })),
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
            ...outside(withRefusals(one, { workload, workloads, refusal })),
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
    workloads,
    refusal,
  }: {
    readonly workload: Workload;
    readonly workloads: ReadonlyMap<string, Workload>;
    readonly refusal: ReturnType<typeof compileNetworkRefusal>;
  },
): Destination {
  const { serviceNamespace: namespace } = destination;
  const endpoints = destination.endpoints.map((endpoint) => {
    const to = workloads.get(keyOf({ namespace, name: endpoint.workload }));
    const containerPort = to && containerPortOf(to, endpoint);
    if (to === undefined || containerPort === undefined) return endpoint;
    const refusedBy = refusal({ from: workload, to, containerPort });
    return refusedBy === undefined ? endpoint : { ...endpoint, refusedBy };
  });
  const isOpen = endpoints.every((endpoint, index) => endpoint === destination.endpoints[index]);
  return isOpen ? destination : { ...destination, endpoints };
}

function keyOf({ namespace, name }: Pick<Workload, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

/** Each port has a socket of its own, which tells it. */
function containerPortOf({ ports }: Workload, { address }: Endpoint): number | undefined {
  return ports.find(
    ({ listen }) => listen.address === address.address && listen.port === address.port,
  )?.containerPort;
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
