/**
 * How values merge and are owned. Source: Kubernetes' `x-kubernetes-list-type`, `x-kubernetes-map-type` and
 * `x-kubernetes-patch-merge-key`, structured merge and diff v6.
 */
export type Structure =
  /**
   * Owned and replaced as one: scalars, and lists and maps that say so. A strategic merge patch may still tell the items
   * of such a list apart, by `patchKey`.
   */
  | { readonly type: "atomic"; readonly patchKey?: string }
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
      /** By which a strategic merge patch tells items apart: the first of `keys`, unless it says otherwise; null: by none. */
      readonly patchKey?: string | null;
    }
  /** Items are told apart by their value. Strategic merge patches add to such a list, or replace it. */
  | { readonly type: "set"; readonly patch: "merge" | "replace" }
  /**
   * By what the value is: maps field by field, lists as one. "known": the names of fields are those of a type, which
   * does not say more of them here; "free": they are the user's, and each is owned as such.
   */
  | { readonly type: "deduced"; readonly names: "known" | "free" };
