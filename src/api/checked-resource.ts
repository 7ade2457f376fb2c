/** Kinds of Istio that are checked as Istio checks them, and have no effect here yet. */
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export const CHECKED_KINDS = ["EnvoyFilter", "Sidecar", "WasmPlugin", "WorkloadGroup"] as const;
export type CheckedKind = (typeof CHECKED_KINDS)[number];

export interface CheckedResource {
  readonly kind: CheckedKind;
  readonly meta: ResourceMeta;
}

/** The reader of a kind: its fields are the schema's matter. */
export function checkedResource(
  kind: CheckedKind,
): (meta: ResourceMeta, root: Fields) => CheckedResource {
  return (meta, root) => {
    root.noticeHere(`${kind} is checked as Istio does, and has no effect here yet`);
    return { kind, meta };
  };
}
