/** What a structure says of the values below it, also where it leaves that to the values. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";

export type Resolved = Exclude<Structure, { type: "deduced" }>;

const ATOMIC: Resolved = { type: "atomic" };
const KNOWN: Structure = { type: "deduced", names: "known" };
const FREE: Structure = { type: "deduced", names: "free" };
const MAPS: Readonly<Record<"known" | "free", Resolved>> = {
  known: { type: "map", fields: {}, other: KNOWN },
  free: { type: "map", fields: {}, other: FREE },
};

/** @param value decides where the structure does not; absent or null: a map */
export function resolved(structure: Structure, value?: JsonValue): Resolved {
  if (structure.type !== "deduced") return structure;
  const isMap = value === undefined || value === null || isJsonObject(value);
  return isMap ? MAPS[structure.names] : ATOMIC;
}

export function memberStructure(structure: Resolved, name: string): Structure {
  if (structure.type !== "map") return ATOMIC;
  const named = Object.hasOwn(structure.fields, name) ? structure.fields[name] : undefined;
  return named ?? structure.other ?? KNOWN;
}

/** Whether the name is one of a type, and not of the user's choice. */
export function isNamed(structure: Resolved, name: string): boolean {
  if (structure.type !== "map") return false;
  if (Object.hasOwn(structure.fields, name)) return true;
  const { other } = structure;
  return other === undefined || (other.type === "deduced" && other.names === "known");
}

export function itemStructure(structure: Resolved): Structure {
  return structure.type === "list" ? structure.item : ATOMIC;
}

/** Absent, null, another type or nothing in it: then the value counts as one. */
export function isEmptyMap(value: JsonValue | undefined): boolean {
  return !isJsonObject(value) || Object.keys(value).length === 0;
}

export function isEmptyList(value: JsonValue | undefined): boolean {
  return !isJsonList(value) || value.length === 0;
}
