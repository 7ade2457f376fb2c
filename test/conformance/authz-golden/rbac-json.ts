/** Envoy's configuration as upstream's tests write it, and ours, in one spelling. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

/** Names that protobuf's JSON has in two spellings; those of policies, which are keys too, have none of them. */
const SNAKE_CASE = /^[a-z]+(_[a-z]+)+$/;

/** Fields in camel case and in order, `false` and what is empty left out where protobuf means the same by it. */
export function normalJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return normal(json);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same JSON, every object in it, from the outermost inwards, given to `rewrite` first. */
export function rewritten(value: Json, rewrite: (object: JsonObject) => JsonObject): Json {
  if (Array.isArray(value)) return value.map((one) => rewritten(one, rewrite));
  if (!isObject(value)) return value;
  const fields = Object.entries(rewrite(value));
  return Object.fromEntries(fields.map(([name, one]) => [name, rewritten(one, rewrite)]));
}

function normal(value: Json): Json {
  if (Array.isArray(value)) return value.map(normal);
  if (!isObject(value)) return value;
  const fields = Object.entries(value)
    .filter(([, one]) => one !== false)
    .map(([name, one]): [string, Json] => [camelCase(name), normal(one)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields);
}

function camelCase(name: string): string {
  if (!SNAKE_CASE.test(name)) return name;
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
