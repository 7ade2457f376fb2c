/** Lists in strategic merge patches. Source: apimachinery, util/strategicpatch/patch.go. */
import { isJsonObject, ownValue } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { badPatch } from "./patch-refusals.ts";
import { resolved } from "./resolved-structure.ts";

type List = readonly JsonValue[];

interface ListMerge {
  /** Of the items that the patch knows, all of them; absent: that of the patch. */
  readonly order?: List;
  readonly patchItem: (structure: Structure, target: JsonValue, patch: JsonObject) => JsonValue;
}

/** How a list merges; undefined where a patch replaces it. */
type Strategy = { readonly key: string | undefined; readonly item: Structure } | undefined;

function strategyOf(structure: Structure): Strategy {
  const here = resolved(structure, []);
  const item: Structure = { type: "deduced", names: "known" };
  if (here.type === "set") return here.patch === "merge" ? { key: undefined, item } : undefined;
  if (here.type === "atomic") {
    return here.patchKey === undefined ? undefined : { key: here.patchKey, item };
  }
  if (here.type !== "list" || here.patchKey === null) return undefined;
  return { key: here.patchKey ?? here.keys[0], item: here.item };
}

export function mergeList(structure: Structure, old: List, patch: List, how: ListMerge): List {
  const strategy = strategyOf(structure);
  if (strategy === undefined) {
    const replaced = how.order === undefined || patch.length > 0 ? patch : old;
    return how.order === undefined ? replaced : ordered(replaced, how.order, old, undefined);
  }
  const { key, item } = strategy;
  if (key === undefined) return ordered(distinct([...old, ...patch]), how.order ?? patch, old, key);
  const kept = withoutDeleted(old, patch, key);
  const wanted = patch.filter((one) => directiveOf(one) === undefined);
  const replaces = patch.some((one) => directiveOf(one) === "replace");
  if (replaces) return ordered(wanted, how.order ?? [], wanted, key);
  const merged = [...kept];
  const places = placesOf(merged, key);
  for (const one of wanted) {
    const identity = identityOf(one, key);
    if (identity === undefined) throw badPatch(missingKey(key));
    const at = places.get(identity) ?? merged.length;
    places.set(identity, at);
    const found = merged[at];
    if (found === undefined) merged.push(one);
    else if (isJsonObject(one)) merged[at] = how.patchItem(item, found, one);
  }
  return ordered(merged, how.order ?? wanted, kept, key);
}

export function removeValues(list: List, gone: List): List {
  const places = placesOf(gone, undefined);
  return list.filter((one) => placeOf(places, one, undefined) < 0);
}

/** What is patched must stand in the order that the patch tells. */
export function checkOrder(structure: Structure, patch: List, order: List): void {
  const key = strategyOf(structure)?.key;
  const places = placesOf(order, key);
  let last = -1;
  for (const item of patch) {
    if (directiveOf(item) !== undefined) continue;
    const place = placeOf(places, item, key);
    if (place <= last) {
      throw badPatch("The order in patch list doesn't match $setElementOrder list");
    }
    last = place;
  }
}

const directiveOf = (item: JsonValue): JsonValue | undefined =>
  isJsonObject(item) ? item["$patch"] : undefined;

const missingKey = (key: string): string => `map: does not contain declared merge key: ${key}`;

/** What tells an item apart: its key, or where there is none all of it. */
function identityOf(item: JsonValue, key: string | undefined): string | undefined {
  if (key === undefined) return JSON.stringify(item);
  const value = isJsonObject(item) ? ownValue(item, key) : undefined;
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Where the first of each is. */
function placesOf(list: List, key: string | undefined): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const identity = identityOf(item, key);
    if (identity !== undefined && !places.has(identity)) places.set(identity, index);
  }
  return places;
}

/** @returns -1 for one that is not there */
function placeOf(
  places: ReadonlyMap<string, number>,
  item: JsonValue,
  key: string | undefined,
): number {
  const identity = identityOf(item, key);
  return identity === undefined ? -1 : (places.get(identity) ?? -1);
}

function withoutDeleted(old: List, patch: List, key: string): List {
  const gone = patch.filter((one) => directiveOf(one) === "delete");
  const places = placesOf(gone, key);
  if (gone.some((one) => identityOf(one, key) === undefined)) throw badPatch(missingKey(key));
  return old.filter((one) => placeOf(places, one, key) < 0);
}

function distinct(list: List): List {
  const places = placesOf(list, undefined);
  return list.filter((one, index) => placeOf(places, one, undefined) === index);
}

/** Items of the patch in its order, those of the server in theirs, and each before the other where the server had it so. */
function ordered(items: List, order: List, server: List, key: string | undefined): List {
  const [orders, servers] = [placesOf(order, key), placesOf(server, key)];
  const by = (places: ReadonlyMap<string, number>) => (one: JsonValue, other: JsonValue) =>
    placeOf(places, one, key) - placeOf(places, other, key);
  const known = items.filter((one) => placeOf(orders, one, key) >= 0).toSorted(by(orders));
  const others = items.filter((one) => placeOf(orders, one, key) < 0).toSorted(by(servers));
  const sorted: JsonValue[] = [];
  let [left, right] = [0, 0];
  while (left < others.length || right < known.length) {
    const [own, wanted] = [others[left], known[right]];
    const first = own !== undefined && (wanted === undefined || isBefore(own, wanted));
    const taken = first ? own : wanted;
    if (first) left++;
    else right++;
    if (taken !== undefined) sorted.push(taken);
  }
  return sorted;

  function isBefore(own: JsonValue, wanted: JsonValue): boolean {
    const [one, other] = [placeOf(servers, own, key), placeOf(servers, wanted, key)];
    return one >= 0 && other >= 0 && one < other;
  }
}
