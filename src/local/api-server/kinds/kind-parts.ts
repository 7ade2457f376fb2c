/** What most kinds have in common, so that each says only what is its own. */
import { defaultsOf, definedDefaults } from "./defaults/object-defaults.ts";
import type { PrinterColumn, ServedKind, Subresource, Verb } from "./served-kind.ts";

export const ALL_VERBS: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

type Given = Pick<ServedKind, "kind" | "plural" | "columns" | "structure"> & Partial<ServedKind>;

/** Namespaced, in `v1`, with all verbs, unless it says otherwise. */
export function builtIn(given: Given): ServedKind {
  return {
    group: "",
    versions: ["v1"],
    singular: given.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: ALL_VERBS,
    subresources: [],
    origin: "built-in",
    withDefaults: defaultsOf(given.kind),
    ...given,
  };
}

/** As resource definitions make them: with a status of their own. */
export function defined(given: Given & Pick<ServedKind, "group">): ServedKind {
  const subresources: readonly Subresource[] = ["status"];
  const custom = { origin: "custom", subresources, withDefaults: definedDefaults } as const;
  return { ...builtIn(given), ...custom, ...given };
}

export type Columns = readonly PrinterColumn[];
