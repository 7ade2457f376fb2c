/** What has become of an object, field by field. Source: structured-merge-diff v6, typed/compare.go. */
import { isDeepStrictEqual } from "node:util";
import { isJsonList, isJsonObject, ownValue } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { type FieldSet, FieldSetBuilder } from "./field-set.ts";
import { type FieldPath, fieldElement, itemElement, type PathElement } from "./path-element.ts";
import {
  isEmptyList,
  isEmptyMap,
  itemStructure,
  memberStructure,
  type Resolved,
  resolved,
} from "./resolved-structure.ts";

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Value = JsonValue | undefined;
type ListStructure = Extract<Resolved, { type: "list" | "set" }>;

export function compareValues(structure: Structure, before: Value, after: Value): Comparison {
  const walk = new ComparisonWalk();
  walk.compare(structure, before, after, []);
  return walk.result();
}

class ComparisonWalk {
  readonly #added = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #removed = new FieldSetBuilder();

  result(): Comparison {
    return {
      added: this.#added.build(),
      modified: this.#modified.build(),
      removed: this.#removed.build(),
    };
  }

  /** @param before and `after`: at least one is there */
  compare(structure: Structure, before: Value, after: Value, path: FieldPath): void {
    const here = resolved(structure, after === undefined ? before : after);
    const there = resolved(structure, before === undefined ? after : before);
    // A value that became one of another type: what was in it has gone.
    if (here.type !== there.type) this.#compareAs(there, before, after, path);
    if (this.#compareAs(here, before, after, path)) return;
    if (before === undefined) this.#added.add(path);
    else if (after === undefined) this.#removed.add(path);
  }

  /** @returns whether the values count as one each */
  #compareAs(here: Resolved, before: Value, after: Value, path: FieldPath): boolean {
    if (isLeaf(here, before, after)) {
      if (before === undefined) this.#added.add(path);
      else if (after === undefined) this.#removed.add(path);
      else if (!isDeepStrictEqual(before, after)) this.#modified.add(path);
      return true;
    }
    if (here.type === "map") this.#compareMaps(here, before, after, path);
    else if (here.type !== "atomic") this.#compareLists(here, before, after, path);
    return false;
  }

  #compareMaps(here: Resolved, before: Value, after: Value, path: FieldPath): void {
    const [old, fresh] = [isJsonObject(before) ? before : {}, isJsonObject(after) ? after : {}];
    for (const name of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
      const [was, is] = [ownValue(old, name), ownValue(fresh, name)];
      if (was === undefined && is === undefined) continue;
      this.compare(memberStructure(here, name), was, is, [...path, fieldElement(name)]);
    }
  }

  #compareLists(here: ListStructure, before: Value, after: Value, path: FieldPath): void {
    const [old, fresh] = [itemsByElement(here, before), itemsByElement(here, after)];
    for (const element of new Set([...old.keys(), ...fresh.keys()])) {
      const below = [...path, element];
      const [was, is] = [old.get(element) ?? [], fresh.get(element) ?? []];
      if (was.length <= 1 && is.length <= 1) {
        this.compare(itemStructure(here), was[0], is[0], below);
      } else if (was.length > 1 && is.length > 1) {
        if (!isDeepStrictEqual(was, is)) this.#modified.add(below);
      } else if (was.length > 1) {
        if (is.length > 0) this.compare(itemStructure(here), undefined, is[0], below);
        this.#removed.add(below);
      } else {
        if (was.length > 0) this.compare(itemStructure(here), was[0], undefined, below);
        this.#added.add(below);
      }
    }
  }
}

function isLeaf(here: Resolved, before: Value, after: Value): boolean {
  if (here.type === "atomic") return true;
  if (here.type === "map") return isEmptyMap(before) && isEmptyMap(after);
  return isEmptyList(before) && isEmptyList(after);
}

function itemsByElement(here: ListStructure, list: Value): Map<PathElement, JsonValue[]> {
  const items = new Map<PathElement, JsonValue[]>();
  for (const item of isJsonList(list) ? list : []) {
    const element = itemElement(here, item);
    if (element === undefined) continue;
    const same = items.get(element) ?? [];
    items.set(element, same);
    same.push(item);
  }
  return items;
}
