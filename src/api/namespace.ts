/** Namespace: a group of workloads; its labels decide about injection. */
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export interface Namespace {
  readonly kind: "Namespace";
  readonly meta: ResourceMeta;
}

export function namespace(meta: ResourceMeta, root: Fields): Namespace {
  root.section("spec").accept(["finalizers"]); // every API server writes them
  return { kind: "Namespace", meta };
}
