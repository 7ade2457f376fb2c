/**
 * WorkloadEntry: one program that runs outside the mesh's pods, for ServiceEntries to select.
 * Source: https://istio.io/latest/docs/reference/config/networking/workload-entry/
 */
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";
import { type WorkloadAddress, workloadAddress } from "./workload-address.ts";

export interface WorkloadEntry extends WorkloadAddress {
  readonly kind: "WorkloadEntry";
  readonly meta: ResourceMeta;
}

export function workloadEntry(meta: ResourceMeta, root: Fields): WorkloadEntry {
  const entry = workloadAddress(root.section("spec"));
  // Of a label that both carry, that of the resource itself counts.
  return { kind: "WorkloadEntry", meta, ...entry, labels: { ...entry.labels, ...meta.labels } };
}
