/** From what runs and what the files say to what the kernel is told of each pod. Pure. */
import type { Resource } from "../../api/resource.ts";
import { buildDestinations } from "../../policy/destinations.ts";
import { buildSnapshot, type MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import { resolvePodNetworkRules } from "../../policy/network-rules.ts";
import type { IpAddresses, SocketAddress, Workload } from "../../policy/workload.ts";
import type { Destination, Endpoint } from "../../policy/workload-view.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { MeshUser } from "./host-side.ts";
import { ADMIN_PORT, SIDECAR_MARK, SIDECAR_UID } from "./mesh-ranges.ts";
import { type Exemption, podRules } from "./pod-rules.ts";

/** A pod was to be made before its network knew of the mesh. */
export class NetworkNotStartedError extends HauberkError {
  readonly code = "HAUBERK_NETWORK_NOT_STARTED";
}

/** What the rules of every pod are made from. */
export interface NetworkKnowledge {
  readonly snapshot: MeshSnapshot;
  readonly destinations: readonly Destination[];
  readonly exemption: Exemption;
  readonly controlPlane: SocketAddress;
}

export function networkKnowledge(
  {
    resources,
    workloads,
    serviceAddresses,
  }: {
    readonly resources: readonly Resource[];
    readonly workloads: readonly Workload[];
    readonly serviceAddresses: Readonly<Record<string, IpAddresses>>;
  },
  { user, controlPlane }: { readonly user: MeshUser; readonly controlPlane: SocketAddress },
): NetworkKnowledge {
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [], serviceAddresses });
  const exemption: Exemption =
    user === "root" ? { by: "uid", uid: SIDECAR_UID } : { by: "mark", mark: SIDECAR_MARK };
  return { snapshot, destinations: buildDestinations(snapshot), exemption, controlPlane };
}

function allAddressesOf({ address, podAddresses = [] }: Endpoint): readonly SocketAddress[] {
  const { port } = address;
  return podAddresses.map((own) => ({ address: own, port }));
}

/** @throws NetworkNotStartedError */
export function addressesOf({ namespace, name, addresses }: Workload): IpAddresses {
  if (addresses !== undefined) return addresses;
  throw new NetworkNotStartedError(`${namespace}/${name} was planned without addresses`);
}

/** All that the kernel is told of one pod. */
export function rulesOf(
  { workload, template }: PlannedPod,
  { snapshot, destinations, exemption, controlPlane }: NetworkKnowledge,
): string {
  return podRules({
    sidecar: workload.injected ? "present" : "absent",
    interception: template.interception,
    exemption,
    addresses: addressesOf(workload),
    controlPlane,
    adminPort: ADMIN_PORT,
    services: destinations.flatMap(({ addresses = [], servicePort, endpoints }) =>
      addresses.length === 0
        ? []
        : [{ addresses, port: servicePort, endpoints: endpoints.flatMap(allAddressesOf) }],
    ),
    networkRules: resolvePodNetworkRules(snapshot, workload),
  });
}
