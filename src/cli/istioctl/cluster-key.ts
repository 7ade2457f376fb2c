/** The name of a cluster taken apart: `outbound|8080|v1|api.shop.svc.cluster.local`, and how istioctl sorts by it. */

export interface ClusterKey {
  readonly direction: string;
  readonly port: number;
  readonly subset: string;
  readonly host: string;
}

/** @returns undefined of a name without these parts, such as `PassthroughCluster` */
export function clusterKey(name: string): ClusterKey | undefined {
  const [direction, port, subset, host] = name.split("|");
  if (direction === undefined || subset === undefined || host === undefined) return undefined;
  return { direction, port: Number(port), subset, host };
}

/** By host, then subset, port and direction. */
export function compareClusterNames(one: string, other: string): number {
  const [left, right] = [orderOf(one), orderOf(other)];
  return (
    compare(left.host, right.host) ||
    compare(left.subset, right.subset) ||
    left.port - right.port ||
    compare(left.direction, right.direction)
  );
}

function orderOf(name: string): ClusterKey {
  return clusterKey(name) ?? { direction: "", port: 0, subset: "", host: name };
}

export function compare(one: string, other: string): number {
  return one < other ? -1 : one === other ? 0 : 1;
}
