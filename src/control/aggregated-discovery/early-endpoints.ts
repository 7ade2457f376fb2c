/** Endpoints ahead of what takes longer to be made: where a service is now is told of by a few bytes, the same for all its callers. */
import type { ClusterLoadAssignment } from "../../envoy/envoy-json.ts";
import { outboundEndpoints } from "../../envoy/outbound/outbound-clusters.ts";
import { remembered } from "../../envoy/remembered.ts";
import type { Outbound } from "../../policy/workload-view.ts";
import type { EncodedResources, ProxyResources } from "./encoded-resources.ts";
import type { ResourceSet } from "./resource-set.ts";
import { ENDPOINTS } from "./resource-types.ts";

/** @returns what the proxy has, with the endpoints of clusters that it has already as they are now */
export type EarlyEndpoints = (outbound: Outbound, before: ProxyResources) => ProxyResources;

export function earlyEndpoints(encoded: EncodedResources): EarlyEndpoints {
  const replacedFor = remembered((outbound: Outbound, had: ResourceSet) =>
    replaced(outbound, encoded.listOf(had) as readonly ClusterLoadAssignment[]),
  );
  return (outbound, before) => {
    const endpoints = replacedFor(outbound, before.encoded.endpoints);
    const json = { ...before.json, endpoints };
    const set = encoded.setOf(ENDPOINTS, endpoints);
    return { json, encoded: { ...before.encoded, endpoints: set } };
  };
}

function replaced(
  outbound: Outbound,
  had: readonly ClusterLoadAssignment[],
): readonly ClusterLoadAssignment[] {
  const next = outboundEndpoints(outbound);
  const isAligned = next.every((one, index) => one.clusterName === had[index]?.clusterName);
  if (isAligned && next.length === had.length) return next; // the very list that the rest is made of later
  const byName = new Map(next.map((one) => [one.clusterName, one]));
  return had.map((one) => byName.get(one.clusterName) ?? one);
}
