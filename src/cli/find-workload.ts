/** Workloads by the names that people call them. */
import { closestName } from "../api/closest-name.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import type { Workload } from "../policy/workload.ts";

/** @param text `NAMESPACE/NAME` of a Deployment or of one of its pods */
export function findWorkload({ workloads }: MeshSnapshot, text: string): Workload | undefined {
  const named = (field: "owner" | "name"): Workload | undefined =>
    workloads.find((workload) => `${workload.namespace}/${workload[field]}` === text);
  return named("owner") ?? named("name");
}

/**
 * What to say after "no such workload": which one was probably meant, or which there are.
 *
 * @param also.known other names that would do
 * @param also.more what follows the known workloads
 */
export function workloadHint(
  { workloads }: MeshSnapshot,
  text: string,
  { known = [], more = "" }: { readonly known?: readonly string[]; readonly more?: string } = {},
): string {
  const names = [...new Set(workloads.map(({ namespace, owner }) => `${namespace}/${owner}`))];
  const meant = closestName(text, [...names, ...known]);
  if (meant !== undefined) return `did you mean ${meant}?`;
  return `known: ${names.join(", ") || "none"}${more}`;
}
