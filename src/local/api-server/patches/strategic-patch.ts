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

type Fields = Record<string, JsonValue | undefined>;

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
  const merged: Fields = isJsonObject(target) ? { ...target } : {};
  const left: Fields = { ...patch };
  retainKeys(merged, left);
  mergeOrdered(structure, merged, left);
  for (const [name, value] of Object.entries(left)) mergeField(structure, merged, name, value);
  return merged;
}

function retainKeys(merged: Fields, patch: Fields): void {
  const kept = patch[RETAIN_KEYS];
  if (kept === undefined) return;
  delete patch[RETAIN_KEYS];
  const extra = Object.entries(patch).some(
    ([name, value]) => value !== null && !isAboutList(name) && !isIn(kept, name),
  );
  if (!isJsonList(kept) || extra) throw badPatch("invalid patch format of retainKeys");
  for (const name of Object.keys(merged)) if (!kept.includes(name)) delete merged[name];
}

const isIn = (list: JsonValue, name: string): boolean => isJsonList(list) && list.includes(name);
const isAboutList = (name: string): boolean =>
  name.startsWith(ORDER) || name.startsWith(DELETE_FROM);

/** Lists whose order the patch tells: merged, and taken out of the patch. */
function mergeOrdered(structure: Structure, merged: Fields, patch: Fields): void {
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ORDER)) continue;
    delete patch[directive];
    const name = directive.slice(ORDER.length);
    if (!isJsonList(order)) throw badPatch("invalid patch format of setElementOrder list");
    const [old, fresh] = [merged[name], patch[name]];
    const list = memberStructure(resolved(structure), name);
    if (isJsonList(fresh)) checkOrder(list, fresh, order);
    if (!isJsonList(old) && !isJsonList(fresh)) continue;
    delete patch[name];
    if (!isJsonList(old)) {
      merged[name] = mergeList(list, [], withoutDirectives(fresh ?? []) as JsonValue[], {
        order,
        patchItem,
      });
    } else {
      const added = isJsonList(fresh) ? fresh : [];
      merged[name] = mergeList(list, old, added, { order, patchItem });
    }
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
    const list = merged[field];
    if (isJsonList(list) && isJsonList(value)) merged[field] = removeValues(list, value);
    return;
  }
  if (value === null || value === undefined) {
    delete merged[name];
    return;
  }
  const old = merged[name];
  const member = memberStructure(resolved(structure), name);
  if (isJsonObject(old) && isJsonObject(value)) {
    merged[name] = applyStrategicPatch(member, old, value);
  } else if (isJsonList(old) && isJsonList(value)) {
    merged[name] = mergeList(member, old, value, { patchItem });
  } else {
    const fresh = withoutDirectives(value);
    if (fresh === undefined) delete merged[name];
    else merged[name] = fresh;
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
  const left: Fields = {};
  for (const [name, field] of Object.entries(value)) {
    if (field === null || field === undefined) continue;
    const rest = withoutDirectives(field);
    if (rest !== undefined) left[name] = rest;
  }
  return left;
}
