/** JSON Merge Patch, RFC 7386. */
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";

export function applyMergePatch(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || value === undefined) merged.delete(name);
    else merged.set(name, isJsonObject(value) ? applyMergePatch(merged.get(name), value) : value);
  }
  return Object.fromEntries(merged);
}
