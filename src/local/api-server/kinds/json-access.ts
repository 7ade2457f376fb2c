/** Looks into objects whose shape nobody has vouched for: what is not as expected is as if it were not there. */
import type { JsonObject, JsonValue } from "./kubernetes-object.ts";

export type JsonPath = readonly (string | number)[];

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isJsonList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function valueAt(value: JsonValue | undefined, path: JsonPath): JsonValue | undefined {
  let found = value;
  for (const step of path) {
    if (typeof step === "number") found = isJsonList(found) ? found[step] : undefined;
    else found = isJsonObject(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  }
  return found;
}

/** "" where there is no text. */
export function textAt(value: JsonValue | undefined, ...path: JsonPath): string {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : "";
}

/** 0 where there is no number. */
export function numberAt(value: JsonValue | undefined, ...path: JsonPath): number {
  const found = valueAt(value, path);
  return typeof found === "number" ? found : 0;
}

export function listAt(value: JsonValue | undefined, ...path: JsonPath): readonly JsonValue[] {
  const found = valueAt(value, path);
  return isJsonList(found) ? found : [];
}

/** Empty where there is no object. */
export function objectAt(value: JsonValue | undefined, ...path: JsonPath): JsonObject {
  const found = valueAt(value, path);
  return isJsonObject(found) ? found : {};
}

export function textsAt(value: JsonValue | undefined, ...path: JsonPath): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === "string");
}

/** Of a map whose keys are anybody's: `constructor` and `__proto__` are keys like others. */
export function ownValue(map: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
