/** Which pod has an address now, to name callers that prove nothing. Only pods with networks of their own have one. */
import type { Workload } from "../policy/workload.ts";

/** @param remote an address with its port, as access logs have it; @returns `NAMESPACE/POD` */
export type PodAt = (remote: string) => string | undefined;

export function podsByAddress(
  workloads: readonly Pick<Workload, "namespace" | "name" | "addresses">[],
): PodAt {
  const names = new Map(
    workloads.flatMap(({ namespace, name, addresses }) =>
      Object.values(addresses ?? {}).map((address) => [address, `${namespace}/${name}`] as const),
    ),
  );
  return (remote) => names.get(remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}
