/** What Envoy's `/clusters?format=json` answers: the endpoints of each cluster, of which istioctl makes its table. */
import type { ClusterLoadAssignment } from "../../envoy/envoy-json.ts";

/** As Envoy has an endpoint of which it was told nothing else. */
const SAID_NOTHING = "HEALTHY";

/** envoy.admin.v3.Clusters */
export function clusterStatuses(assignments: readonly ClusterLoadAssignment[]): object {
  return {
    clusterStatuses: assignments.map(({ clusterName, endpoints = [] }) => ({
      name: clusterName,
      addedViaApi: true,
      hostStatuses: endpoints.flatMap(({ locality, lbEndpoints = [] }) =>
        lbEndpoints.map(({ endpoint, healthStatus, loadBalancingWeight }) => ({
          address: endpoint?.address,
          healthStatus: { edsHealthStatus: healthStatus ?? SAID_NOTHING },
          weight: loadBalancingWeight,
          locality,
        })),
      ),
    })),
  };
}
