/** Puts what was applied over what is there. Source: structured-merge-diff v6, typed/merge.go. */
import { isJsonList, isJsonObject, ownValue } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { itemElement, type PathElement } from "./path-element.ts";
import {
  isEmptyList,
  isEmptyMap,
  itemStructure,
  memberStructure,
  type Resolved,
  resolved,
} from "./resolved-structure.ts";

type Value = JsonValue | undefined;
type ListStructure = Extract<Resolved, { type: "list" | "set" }>;

/** @returns undefined where nothing is left */
export function mergeValues(structure: Structure, live: Value, applied: Value): Value {
  const here = resolved(structure, applied === undefined ? live : applied);
  if (here.type === "map" && !(isEmptyMap(live) && isEmptyMap(applied))) {
    return mergeMaps(here, live, applied);
  }
  const list = here.type === "list" || here.type === "set";
  if (list && !(isEmptyList(live) && isEmptyList(applied))) return mergeLists(here, live, applied);
  return applied === undefined ? live : applied;
}

function mergeMaps(here: Resolved, live: Value, applied: Value): Value {
  const [old, fresh] = [isJsonObject(live) ? live : {}, isJsonObject(applied) ? applied : {}];
  const merged = new Map<string, JsonValue>();
  for (const name of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const [before, after] = [ownValue(old, name), ownValue(fresh, name)];
    if (before === undefined && after === undefined) continue;
    const value = mergeValues(memberStructure(here, name), before, after);
    if (value !== undefined) merged.set(name, value);
  }
  return merged.size > 0 ? Object.fromEntries(merged) : undefined;
}

/** What both have is in the order of what was applied; what only one has stays where it was beside its neighbours. */
function mergeLists(here: ListStructure, live: Value, applied: Value): Value {
  const old = indexed(here, live);
  const fresh = indexed(here, applied);
  const oldItems = byElement(old);
  const freshItems = byElement(fresh);
  const shared = fresh.map(([element]) => element).filter((element) => oldItems.has(element));
  const taken = new Set<PathElement>();
  const merged: JsonValue[] = [];
  const take = (element: PathElement, before: Value, after: Value): void => {
    const value = mergeValues(itemStructure(here), before, after);
    if (value !== undefined) merged.push(value);
    if (after !== undefined) taken.add(element);
  };
  let [left, right, nextShared] = [0, 0, 0];
  while (left < old.length || right < fresh.length) {
    const [element, before] = old[left] ?? [];
    const [wanted, after] = fresh[right] ?? [];
    if (element !== undefined && before !== undefined) {
      if (element === wanted && after !== undefined) {
        take(element, oldItems.get(element), after);
        left++;
        right++;
        nextShared++;
        continue;
      }
      const known = freshItems.has(element);
      const another = shared[nextShared];
      if (known && wanted !== undefined && another !== undefined && another !== element) {
        left++;
        continue;
      }
      if (!known) {
        take(element, before, undefined);
        left++;
        continue;
      }
      if (taken.has(element)) left++;
    }
    if (wanted !== undefined && after !== undefined) {
      take(wanted, oldItems.get(wanted), after);
      right++;
      if (shared[nextShared] === wanted) nextShared++;
    }
  }
  return merged.length > 0 ? merged : undefined;
}

/** Of several that are the same nothing is merged. */
function byElement(items: readonly [PathElement, JsonValue][]): Map<PathElement, Value> {
  const found = new Map<PathElement, Value>();
  for (const [element, item] of items) found.set(element, found.has(element) ? undefined : item);
  return found;
}

/** Items that nothing tells apart are left out: validation has refused them where it matters. */
function indexed(here: ListStructure, list: Value): [PathElement, JsonValue][] {
  return (isJsonList(list) ? list : []).flatMap((item): [PathElement, JsonValue][] => {
    const element = itemElement(here, item);
    return element === undefined ? [] : [[element, item]];
  });
}
