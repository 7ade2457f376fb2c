/**
 * Strategic merge patches: lists merge item by item where their structure says how, and directives say the rest.
 * Source: apimachinery, util/strategicpatch/patch.go.
 */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";
import { badPatch } from "./patch-refusals.ts";
import { memberStructure, resolved } from "./resolved-structure.ts";
import { checkOrder, mergeList, removeValues } from "./strategic-lists.ts";

type Fields = Map<string, JsonValue | undefined>;

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const ORDER = "$setElementOrder/";
const DELETE_FROM = "$deleteFromPrimitiveList/";

/** @throws StatusError 400 when the patch contradicts itself */
export function applyStrategicPatch(
  structure: Structure,
  target: JsonValue | undefined,
  patch: JsonObject,
): JsonObject {
  const directive = patch[DIRECTIVE];
  if (directive === "replace") {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return rest;
  }
  if (directive === "delete") return {};
  if (directive !== undefined) throw badPatch(`unknown patch type: ${String(directive)}`);
  const merged: Fields = new Map(Object.entries(isJsonObject(target) ? target : {}));
  const left: Fields = new Map(Object.entries(patch));
  retainKeys(merged, left);
  mergeOrdered(structure, merged, left);
  for (const [name, value] of left) mergeField(structure, merged, name, value);
  return Object.fromEntries(merged);
}

function retainKeys(merged: Fields, patch: Fields): void {
  const kept = patch.get(RETAIN_KEYS);
  if (kept === undefined) return;
  patch.delete(RETAIN_KEYS);
  const extra = [...patch].some(
    ([name, value]) => value !== null && !isAboutList(name) && !isIn(kept, name),
  );
  if (!isJsonList(kept) || extra) throw badPatch("invalid patch format of retainKeys");
  for (const name of merged.keys()) if (!kept.includes(name)) merged.delete(name);
}

const isIn = (list: JsonValue, name: string): boolean => isJsonList(list) && list.includes(name);
const isAboutList = (name: string): boolean =>
  name.startsWith(ORDER) || name.startsWith(DELETE_FROM);

/** Lists whose order the patch tells: merged, and taken out of the patch. */
function mergeOrdered(structure: Structure, merged: Fields, patch: Fields): void {
  for (const [directive, order] of [...patch]) {
    if (!directive.startsWith(ORDER)) continue;
    patch.delete(directive);
    const name = directive.slice(ORDER.length);
    if (!isJsonList(order)) throw badPatch("invalid patch format of setElementOrder list");
    const [old, fresh] = [merged.get(name), patch.get(name)];
    const list = memberStructure(resolved(structure), name);
    if (isJsonList(fresh)) checkOrder(list, fresh, order);
    if (!isJsonList(old) && !isJsonList(fresh)) continue;
    patch.delete(name);
    const added = isJsonList(fresh) ? fresh : [];
    const items = isJsonList(old) ? added : (withoutDirectives(added) as readonly JsonValue[]);
    merged.set(name, mergeList(list, isJsonList(old) ? old : [], items, { order, patchItem }));
  }
}

function mergeField(
  structure: Structure,
  merged: Fields,
  name: string,
  value: JsonValue | undefined,
): void {
  if (name.startsWith(DELETE_FROM)) {
    const field = name.slice(DELETE_FROM.length);
    const list = merged.get(field);
    if (isJsonList(list) && isJsonList(value)) merged.set(field, removeValues(list, value));
    return;
  }
  if (value === null || value === undefined) {
    merged.delete(name);
    return;
  }
  const old = merged.get(name);
  const member = memberStructure(resolved(structure), name);
  if (isJsonObject(old) && isJsonObject(value)) {
    merged.set(name, applyStrategicPatch(member, old, value));
  } else if (isJsonList(old) && isJsonList(value)) {
    merged.set(name, mergeList(member, old, value, { patchItem }));
  } else {
    const fresh = withoutDirectives(value);
    if (fresh === undefined) merged.delete(name);
    else merged.set(name, fresh);
  }
}

const patchItem = applyStrategicPatch;

/** What is new is taken as it is, but for nulls and directives. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (isJsonList(value)) {
    return value.flatMap((item) => {
      const left = withoutDirectives(item);
      return left === undefined ? [] : [left];
    });
  }
  if (!isJsonObject(value)) return value;
  if (value[DIRECTIVE] !== undefined) return undefined;
  const left: Fields = new Map();
  for (const [name, field] of Object.entries(value)) {
    if (field === null || field === undefined) continue;
    const rest = withoutDirectives(field);
    if (rest !== undefined) left.set(name, rest);
  }
  return Object.fromEntries(left);
}
