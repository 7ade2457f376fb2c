/** From a value that was JSON to what a `google.protobuf.Struct` is made of. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What JSON cannot hold becomes null. */
export function structOf(record: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, jsonOf(value)]));
}

function jsonOf(value: unknown): JsonValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(jsonOf);
  return typeof value === "object" && value !== null ? structOf({ ...value }) : null;
}
