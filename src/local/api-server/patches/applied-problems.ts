/**
 * What cannot be merged: values of another type, items that nothing tells apart. Source: structured-merge-diff v6,
 * typed/validate.go.
 */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { itemElement, type PathElement, printedElement } from "./path-element.ts";
import { itemStructure, memberStructure, type Resolved, resolved } from "./resolved-structure.ts";

/** More of them help nobody. */
const MAX_PROBLEMS = 20;

/** @returns each with its path, as Kubernetes words them */
export function appliedProblems(structure: Structure, applied: JsonValue): readonly string[] {
  return [...problems(structure, applied, "")].slice(0, MAX_PROBLEMS);
}

function* problems(structure: Structure, value: JsonValue, path: string): Generator<string> {
  const here = resolved(structure, value);
  if (here.type === "atomic" || value === null) return;
  if (here.type === "map") {
    if (!isJsonObject(value)) {
      yield `${path}: expected map, got ${typeName(value)}`;
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield* problems(memberStructure(here, name), member, `${path}.${name}`);
    }
  } else if (isJsonList(value)) yield* ofItems(here, value, path);
  else yield `${path}: expected list, got ${typeName(value)}`;
}

function* ofItems(
  here: Extract<Resolved, { type: "list" | "set" }>,
  list: readonly JsonValue[],
  path: string,
): Generator<string> {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    const element = itemElement(here, item);
    if (element === undefined) {
      yield `${path}: element ${index}: ${whyNone(here, item)}`;
    } else {
      const printed = printedElement(element);
      if (seen.has(element)) yield `${path}: duplicate entries for key ${printed}`;
      seen.add(element);
      yield* problems(itemStructure(here), item, `${path}${printed}`);
    }
  }
}

function whyNone(here: Resolved, item: JsonValue): string {
  if (here.type !== "list") {
    return "associative list without keys has an element that's no text, number or flag";
  }
  if (!isJsonObject(item)) return "associative list with keys may not have non-map elements";
  return `associative list with keys has an element that omits all key fields ${JSON.stringify(here.keys)} (and doesn't have default values for any key fields)`;
}

function typeName(value: JsonValue): string {
  return isJsonList(value) ? "list" : isJsonObject(value) ? "map" : typeof value;
}
