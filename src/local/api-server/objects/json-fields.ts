/** Comparing and trimming JSON. */
import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";

export function isSameJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  return one === other || isDeepStrictEqual(one, other);
}

/** The map without some of its fields. */
export function withoutFields(map: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}
