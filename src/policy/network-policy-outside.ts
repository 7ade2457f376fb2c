/**
 * Hosts outside the mesh, for a pod whose egress NetworkPolicies limit, where no kernel can hold it to them, because it has
 * no address of its own: its sidecar does not call what they do not allow.
 */
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { networkPod } from "./network-peer.ts";
import { isolatingPolicies, judgeIsolation } from "./network-policy.ts";
import type { LookedUpEndpoint } from "./service-entry-terms.ts";
import type { SocketAddress, Workload } from "./workload.ts";
import type { Destination, Endpoint, NetworkRefusal } from "./workload-view.ts";

/**
 * Stands for an address that is not known yet: whoever may call it may call any. Of a range that is nobody's (RFC 5737), so
 * that a rule for some addresses does not mean it.
 */
const ANY_ADDRESS = "192.0.2.1";

/** Pods among the endpoints are judged as pods, elsewhere. */
export function compileOutsideRefusals(
  snapshot: Pick<MeshSnapshot, "networkPolicies" | "namespaceLabels" | "workloads">,
  workload: Workload,
): <D extends Destination>(destination: D) => D {
  const all = snapshot.networkPolicies.get(workload.namespace) ?? [];
  const policies = isolatingPolicies(all, { pod: workload, direction: "egress" });
  if (workload.addresses !== undefined || policies.length === 0)
    return (destination) => destination;
  const source = networkPod(snapshot, { workload });
  const refusalOf = ({ address, port }: SocketAddress): NetworkRefusal | undefined => {
    const destination = { kind: "outside", address } as const;
    const connection = { source, destination, port, protocol: "TCP", direction: "egress" } as const;
    const judged = judgeIsolation(policies, connection);
    return judged === "allowed" ? undefined : judged;
  };
  const pods = new Set(
    snapshot.workloads.flatMap(({ ports }) => ports.map(({ listen }) => keyOf(listen))),
  );
  return (destination) =>
    withRefusals(destination, (called) =>
      pods.has(keyOf(called)) ? undefined : refusalOf(called),
    );
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}

type RefusalOf = (called: SocketAddress) => NetworkRefusal | undefined;

function withRefusals<D extends Destination>(destination: D, refusalOf: RefusalOf): D {
  const { serviceEntry, servicePort } = destination;
  if (serviceEntry === undefined) return destination;
  const endpoints = destination.endpoints.map((endpoint): Endpoint => {
    const refusedBy = endpoint.refusedBy ?? refusalOf(endpoint.address);
    return refusedBy === undefined ? endpoint : { ...endpoint, refusedBy };
  });
  const { lookUp = [], resolution, targetPort = servicePort, ...terms } = serviceEntry;
  if (resolution === "NONE") {
    const refused = placeholder({ host: destination.host, port: targetPort }, refusalOf);
    if (refused === undefined) return destination;
    return {
      ...destination,
      endpoints: [refused],
      serviceEntry: { ...terms, resolution: "STATIC" },
    };
  }
  const placeholders = lookUp.flatMap((one) => placeholder(one, refusalOf) ?? []);
  const kept = lookUp.filter((one) => placeholder(one, refusalOf) === undefined);
  const { lookUp: _, ...others } = serviceEntry;
  return {
    ...destination,
    endpoints: [...endpoints, ...placeholders],
    serviceEntry: { ...others, ...(kept.length > 0 && { lookUp: kept }) },
  };
}

/** It is never called: it only says why. */
function placeholder(
  { host, port }: Pick<LookedUpEndpoint, "host" | "port">,
  refusalOf: RefusalOf,
): Endpoint | undefined {
  const address = { address: ANY_ADDRESS, port };
  const refusedBy = refusalOf(address);
  return refusedBy && { workload: host, address, mutualTls: false, refusedBy };
}
