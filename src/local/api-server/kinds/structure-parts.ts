/** Short forms of structures, and those that many kinds have. */
import type { Structure } from "./structure.ts";

export const ATOMIC: Structure = { type: "atomic" };
export const FREE: Structure = { type: "deduced", names: "free" };
export const KNOWN: Structure = { type: "deduced", names: "known" };

/** A type, of which only those fields are told whose structure its values do not show. */
export const typed = (fields: Readonly<Record<string, Structure>>): Structure => ({
  type: "map",
  fields,
  other: KNOWN,
});

export const mapOf = (other: Structure): Structure => ({ type: "map", fields: {}, other });

type ListOptions = Omit<Extract<Structure, { type: "list" }>, "type" | "keys" | "item">;

/** Of Kubernetes' own kinds: a key that is left out is the empty text, unless it says otherwise. */
export const keyed = (
  keys: readonly string[],
  item: Structure = KNOWN,
  options: ListOptions = {},
): Structure => ({
  type: "list",
  keys,
  item,
  defaults: Object.fromEntries(keys.map((key) => [key, ""])),
  ...options,
});

export const CONDITIONS: Structure = keyed(["type"]);

export const metadata: Structure = typed({
  finalizers: { type: "set", patch: "merge" },
  managedFields: ATOMIC,
  ownerReferences: keyed(["uid"], ATOMIC),
});

/** An object of which this is told beside its metadata. */
export const object = (fields: Readonly<Record<string, Structure>>): Structure =>
  typed({ metadata, ...fields });
