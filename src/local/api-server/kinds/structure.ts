/**
 * How values merge and are owned. Source: Kubernetes' `x-kubernetes-list-type`, `x-kubernetes-map-type`, structured
 * merge and diff v4.
 */
export type Structure =
  /** Owned and replaced as one: scalars, and lists and maps that say so. */
  | { readonly type: "atomic" }
  /** Each field has an owner of its own. `other` is the structure of fields that are not named. */
  | {
      readonly type: "map";
      readonly fields: Readonly<Record<string, Structure>>;
      readonly other?: Structure;
    }
  /** Items are told apart by these fields; a field that may be absent has a default. */
  | {
      readonly type: "list";
      readonly keys: readonly string[];
      readonly defaults?: Readonly<Record<string, string | number>>;
      readonly item: Structure;
    }
  /** Items are told apart by their value. */
  | { readonly type: "set" }
  /** By what the value is: maps field by field, lists as one. As for resources whose schema says nothing else. */
  | { readonly type: "deduced" };
