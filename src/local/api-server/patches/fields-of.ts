/** The fields that a value has, as an applier of it owns them. Source: structured-merge-diff v6, typed/tofieldset.go. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { type FieldSet, FieldSetBuilder } from "./field-set.ts";
import { type FieldPath, fieldElement, itemElement, type PathElement } from "./path-element.ts";
import {
  isEmptyMap,
  isNamed,
  itemStructure,
  memberStructure,
  type Resolved,
  resolved,
} from "./resolved-structure.ts";

export function fieldsOf(structure: Structure, value: JsonValue): FieldSet {
  const found = new FieldSetBuilder();
  collect(structure, value, [], found);
  return found.build();
}

function collect(structure: Structure, value: JsonValue, path: FieldPath, found: FieldSetBuilder) {
  const here = resolved(structure, value);
  if (here.type === "atomic") found.add(path);
  else if (here.type === "map") {
    if (isJsonObject(value)) collectMap(here, value, path, found);
  } else if (isJsonList(value)) collectList(here, value, path, found);
}

function collectMap(here: Resolved, map: JsonObject, path: FieldPath, found: FieldSetBuilder) {
  for (const [name, value] of Object.entries(map)) {
    if (value === undefined) continue;
    const below = [...path, fieldElement(name)];
    collect(memberStructure(here, name), value, below, found);
    const named = isNamed(here, name);
    const bare = value === null || (isJsonObject(value) && isEmptyMap(value));
    if (bare || !named) found.add(below);
  }
}

function collectList(
  here: Extract<Resolved, { type: "list" | "set" }>,
  list: readonly JsonValue[],
  path: FieldPath,
  found: FieldSetBuilder,
) {
  const elements = list.map((item) => itemElement(here, item));
  const counts = new Map<PathElement | undefined, number>();
  for (const element of elements) counts.set(element, (counts.get(element) ?? 0) + 1);
  for (const [index, item] of list.entries()) {
    const element = elements[index];
    if (element === undefined) continue;
    // Several of the same have one owner together, and nothing is known of what is in them.
    const alone = counts.get(element) === 1;
    if (alone) collect(itemStructure(here), item, [...path, element], found);
    found.add([...path, element]);
  }
}
