/** How ownership moves when an object changes. Source: structured-merge-diff v6, merge/update.go. */

import type { Comparison } from "./compare-values.ts";
import type { FieldManagers, ManagedSet } from "./field-managers.ts";
import { FieldSet } from "./field-set.ts";
import type { FieldPath } from "./path-element.ts";

export interface FieldConflict {
  readonly owner: ManagedSet;
  readonly path: FieldPath;
}

/** Fields that nobody owns: they are the server's. */
export const UNOWNED: FieldSet = FieldSet.of(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
);

export function exceptReset(comparison: Comparison, reset: FieldSet): Comparison {
  return {
    added: comparison.added.without(reset),
    modified: comparison.modified.without(reset),
    removed: comparison.removed.without(reset),
  };
}

/** What others own of what has changed. */
export function conflictsOf(
  managers: FieldManagers,
  changer: string,
  { added, modified }: Comparison,
): FieldConflict[] {
  const changed = modified.union(added);
  return [...managers].flatMap(([key, owner]) =>
    key === changer
      ? []
      : owner.fields
          .intersection(changed)
          .paths()
          .map((path) => ({ owner, path })),
  );
}

/** Nobody else owns any more what has changed or gone; who owns nothing is no manager. */
export function takenFromOthers(
  managers: FieldManagers,
  changer: string,
  { added, modified, removed }: Comparison,
): FieldManagers {
  const changed = modified.union(added).union(removed);
  const left = new Map<string, ManagedSet>();
  for (const [key, owner] of managers) {
    const fields = key === changer ? owner.fields : owner.fields.difference(changed);
    if (!fields.isEmpty) left.set(key, { ...owner, fields });
  }
  return left;
}
