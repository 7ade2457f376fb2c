/** Workloads by the names that people call them. */
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import type { Workload } from "../policy/workload.ts";

/** @param text `NAMESPACE/NAME` of a Deployment or of one of its pods */
export function findWorkload({ workloads }: MeshSnapshot, text: string): Workload | undefined {
  const named = (field: "owner" | "name"): Workload | undefined =>
    workloads.find((workload) => `${workload.namespace}/${workload[field]}` === text);
  return named("owner") ?? named("name");
}

export function knownWorkloads({ workloads }: MeshSnapshot): string {
  const names = new Set(workloads.map(({ namespace, owner }) => `${namespace}/${owner}`));
  return [...names].join(", ") || "none";
}
