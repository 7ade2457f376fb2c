/** Lists in strategic merge patches. Source: apimachinery, util/strategicpatch/patch.go. */
import { isDeepStrictEqual } from "node:util";
import { isJsonObject } from "../kinds/json-access.ts";
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
  for (const one of wanted) {
    const at = merged.findIndex((other) => sameItem(other, one, key));
    if (keyOf(one, key) === undefined) throw badPatch(missingKey(key));
    const found = merged[at];
    if (found === undefined) merged.push(one);
    else if (isJsonObject(one)) merged[at] = how.patchItem(item, found, one);
  }
  return ordered(merged, how.order ?? wanted, kept, key);
}

export function removeValues(list: List, gone: List): List {
  return list.filter((one) => !gone.some((other) => isDeepStrictEqual(one, other)));
}

/** What is patched must stand in the order that the patch tells. */
export function checkOrder(structure: Structure, patch: List, order: List): void {
  const key = strategyOf(structure)?.key;
  const items = patch.filter((one) => directiveOf(one) === undefined);
  let next = 0;
  for (const item of items) {
    while (next < order.length && !sameItem(order[next] ?? null, item, key)) next++;
    if (next === order.length) {
      throw badPatch("The order in patch list doesn't match $setElementOrder list");
    }
  }
}

const directiveOf = (item: JsonValue): JsonValue | undefined =>
  isJsonObject(item) ? item["$patch"] : undefined;

const keyOf = (item: JsonValue, key: string): JsonValue | undefined =>
  isJsonObject(item) ? item[key] : undefined;

const missingKey = (key: string): string => `map: does not contain declared merge key: ${key}`;

function sameItem(one: JsonValue, other: JsonValue, key: string | undefined): boolean {
  if (key === undefined) return isDeepStrictEqual(one, other);
  return keyOf(one, key) !== undefined && isDeepStrictEqual(keyOf(one, key), keyOf(other, key));
}

function withoutDeleted(old: List, patch: List, key: string): List {
  const gone = patch.filter((one) => directiveOf(one) === "delete");
  for (const one of gone) if (keyOf(one, key) === undefined) throw badPatch(missingKey(key));
  return old.filter((one) => !gone.some((other) => sameItem(one, other, key)));
}

function distinct(list: List): List {
  return list.filter((one, at) => list.findIndex((other) => isDeepStrictEqual(one, other)) === at);
}

/** Items of the patch in its order, those of the server in theirs, and each before the other where the server had it so. */
function ordered(items: List, order: List, server: List, key: string | undefined): List {
  const place = (list: List, item: JsonValue): number =>
    list.findIndex((other) => sameItem(other, item, key));
  const by = (list: List) => (one: JsonValue, other: JsonValue) =>
    place(list, one) - place(list, other);
  const known = items.filter((one) => place(order, one) >= 0).toSorted(by(order));
  const others = items.filter((one) => place(order, one) < 0).toSorted(by(server));
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
    const [one, other] = [place(server, own), place(server, wanted)];
    return one >= 0 && other >= 0 && one < other;
  }
}
