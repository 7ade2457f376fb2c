/** Takes fields out of a value. Source: structured-merge-diff v6, typed/remove.go. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldElement, itemElement } from "./path-element.ts";
import { itemStructure, memberStructure, type Resolved, resolved } from "./resolved-structure.ts";

/** @returns undefined where nothing is left, or the value counts as one */
export function removeFields(
  structure: Structure,
  value: JsonValue,
  fields: FieldSet,
): JsonValue | undefined {
  const here = resolved(structure, value);
  if (isJsonObject(value))
    return here.type === "map" ? removeMembers(here, value, fields) : undefined;
  if (!isJsonList(value)) return value;
  return here.type === "list" || here.type === "set" ? removeItems(here, value, fields) : undefined;
}

function removeMembers(here: Resolved, map: JsonObject, fields: FieldSet): JsonValue | undefined {
  let touched = false;
  const left = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(map)) {
    const element = fieldElement(name);
    if (value === undefined || fields.has([element])) continue;
    const below = fields.below(element);
    if (!below.isEmpty) touched = true;
    const kept = below.isEmpty ? value : emptied(memberStructure(here, name), value, below);
    left.set(name, kept);
  }
  return left.size > 0 || touched ? Object.fromEntries(left) : undefined;
}

function removeItems(
  here: Extract<Resolved, { type: "list" | "set" }>,
  list: readonly JsonValue[],
  fields: FieldSet,
): JsonValue | undefined {
  let touched = false;
  const left: JsonValue[] = [];
  for (const item of list) {
    const element = itemElement(here, item) ?? "";
    if (fields.has([element])) continue;
    const below = fields.below(element);
    if (!below.isEmpty) touched = true;
    left.push(below.isEmpty ? item : emptied(itemStructure(here), item, below));
  }
  return left.length > 0 || touched ? left : undefined;
}

/** What held something stays, even when it holds nothing any more. */
function emptied(structure: Structure, value: JsonValue, fields: FieldSet): JsonValue {
  const left = removeFields(structure, value, fields);
  if (left !== undefined) return left;
  if (isJsonObject(value)) return {};
  return isJsonList(value) ? [] : null;
}
