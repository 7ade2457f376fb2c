/** Fills in what was left out. */
import { isJsonList, isJsonObject } from "../json-access.ts";
import type { JsonObject, JsonValue } from "../kubernetes-object.ts";

type Fill = (value: JsonObject) => JsonObject;

/** The fields that are not there. */
export function withFields(object: JsonObject, defaults: JsonObject): JsonObject {
  const missing = Object.entries(defaults).filter(([name]) => object[name] === undefined);
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
}

/** An object in an object, where it is there. */
export function within(object: JsonObject, name: string, fill: Fill): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? { ...object, [name]: fill(value) } : object;
}

/** An object in an object, made where it is not there. */
export function always(object: JsonObject, name: string, fill: Fill): JsonObject {
  const value = object[name];
  return { ...object, [name]: fill(isJsonObject(value) ? value : {}) };
}

/** The objects of a list, where it is there. */
export function each(object: JsonObject, name: string, fill: Fill): JsonObject {
  const value = object[name];
  if (!isJsonList(value)) return object;
  return {
    ...object,
    [name]: value.map((item: JsonValue) => (isJsonObject(item) ? fill(item) : item)),
  };
}
