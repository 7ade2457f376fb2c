/** JSON Patch, RFC 6902, with JSON Pointer, RFC 6901, as lenient as the library that Kubernetes uses. */
import { isDeepStrictEqual } from "node:util";
import { isJsonList, isJsonObject, ownValue } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import { badPatch, tooManyOperations, unfitPatch } from "./patch-refusals.ts";

/** Source: apiserver, endpoints/handlers/patch.go. */
const MAX_OPERATIONS = 10_000;

type Pointer = readonly string[];

/** @throws StatusError 400 when it is no such patch, 413, 422 when it does not fit */
export function applyJsonPatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isJsonList(patch)) {
    throw badPatch("error decoding patch: a JSON patch is a list of operations");
  }
  if (patch.length > MAX_OPERATIONS) throw tooManyOperations(MAX_OPERATIONS, patch.length);
  return patch.reduce(applyOperation, target);
}

function applyOperation(target: JsonValue, operation: JsonValue): JsonValue {
  if (!isJsonObject(operation)) {
    throw badPatch("error decoding patch: an operation of a JSON patch is an object");
  }
  const { op, value } = operation;
  const path = pointer(operation["path"]);
  switch (op) {
    case "add":
      return added(target, path, value ?? null);
    case "replace":
      return changed(target, path, (parent, key) => replaced(parent, key, value ?? null));
    case "remove":
      return changed(target, path, removed);
    case "move": {
      const from = pointer(operation["from"]);
      const moved = found(target, from);
      if (moved === undefined) throw unfitPatch();
      return added(changed(target, from, removed), path, moved);
    }
    case "copy":
      return added(target, path, found(target, pointer(operation["from"])) ?? null);
    case "test":
      if (!isDeepStrictEqual(found(target, path) ?? null, value ?? null)) throw unfitPatch();
      return target;
    default:
      throw unfitPatch();
  }
}

function pointer(text: JsonValue | undefined): Pointer {
  if (typeof text !== "string" || (text !== "" && !text.startsWith("/"))) throw unfitPatch();
  const steps = text.split("/").slice(1);
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function found(target: JsonValue, path: Pointer): JsonValue | undefined {
  let value: JsonValue | undefined = target;
  for (const step of path) {
    if (isJsonList(value)) value = value[index(step, value.length - 1)];
    else value = isJsonObject(value) ? ownValue(value, step) : undefined;
  }
  return value;
}

/** A negative one counts from the end. */
function index(step: string, last: number): number {
  if (!/^-?\d{1,9}$/.test(step)) throw unfitPatch();
  const at = Number(step) < 0 ? last + 1 + Number(step) : Number(step);
  if (at < 0 || at > last) throw unfitPatch();
  return at;
}

type ChangeIn = (parent: JsonObject | readonly JsonValue[], key: string) => JsonValue;

/** The value with the parent of what the path leads to changed. */
function changed(value: JsonValue | undefined, path: Pointer, change: ChangeIn): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined || !(isJsonObject(value) || isJsonList(value))) throw unfitPatch();
  if (rest.length === 0) return change(value, step);
  if (isJsonList(value)) {
    const at = index(step, value.length - 1);
    return value.with(at, changed(value[at], rest, change));
  }
  if (!Object.hasOwn(value, step)) throw unfitPatch();
  return { ...value, [step]: changed(value[step], rest, change) };
}

function added(target: JsonValue, path: Pointer, value: JsonValue): JsonValue {
  if (path.length === 0) return value;
  return changed(target, path, (parent, key) => {
    if (!isJsonList(parent)) return { ...parent, [key]: value };
    const at = key === "-" ? parent.length : index(key, parent.length);
    return parent.toSpliced(at, 0, value);
  });
}

function replaced(
  parent: JsonObject | readonly JsonValue[],
  key: string,
  value: JsonValue,
): JsonValue {
  return isJsonList(parent)
    ? parent.with(index(key, parent.length - 1), value)
    : { ...parent, [key]: value };
}

function removed(parent: JsonObject | readonly JsonValue[], key: string): JsonValue {
  if (isJsonList(parent)) return parent.toSpliced(index(key, parent.length - 1), 1);
  if (!Object.hasOwn(parent, key)) throw unfitPatch();
  const { [key]: _, ...rest } = parent;
  return rest;
}
