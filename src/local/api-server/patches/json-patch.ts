/** JSON Patch, RFC 6902, with JSON Pointer, RFC 6901, as lenient as the library that Kubernetes uses. */
import { isDeepStrictEqual } from "node:util";
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import {
  badPatch,
  copiesTooMuch,
  tooLaborious,
  tooManyOperations,
  unfitPatch,
} from "./patch-refusals.ts";

/** Source: apiserver, endpoints/handlers/patch.go. */
const MAX_OPERATIONS = 10_000;
/** Of all that one patch copies, as JSON: copies of copies double each time. Source: `AccumulatedCopySizeLimit`. */
const MAX_COPIED = 3 * 1_048_576;
/** Longer paths lead to nothing that anybody has written. */
const MAX_STEPS = 100;
/** Entries of lists that are shifted for one patch. */
const MAX_SHIFTED = 10_000_000;

type Pointer = readonly string[];
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Parent = Json[] | { [name: string]: Json };

/**
 * @returns a new value; what it was made from stays as it is
 * @throws StatusError 400 when it is no such patch, 413, 422 when it does not fit
 */
export function applyJsonPatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isJsonList(patch)) {
    throw badPatch("error decoding patch: a JSON patch is a list of operations");
  }
  if (patch.length > MAX_OPERATIONS) throw tooManyOperations(MAX_OPERATIONS, patch.length);
  const patching = new Patching(target);
  for (const operation of patch) patching.apply(operation);
  return patching.value;
}

/** Changes a copy of its own in place, so that an operation costs what it changes and not what there is. */
class Patching {
  #value: Json;
  #copied = 0;
  #shifted = 0;

  constructor(target: JsonValue) {
    this.#value = cloned(target);
  }

  get value(): JsonValue {
    return this.#value;
  }

  apply(operation: JsonValue): void {
    if (!isJsonObject(operation)) {
      throw badPatch("error decoding patch: an operation of a JSON patch is an object");
    }
    const { op, value = null } = operation;
    const path = pointer(operation["path"]);
    if (op === "add") this.#add(path, cloned(value));
    else if (op === "replace") this.#replace(path, cloned(value));
    else if (op === "remove") this.#remove(path);
    else if (op === "move") this.#move(pointer(operation["from"]), path);
    else if (op === "copy") this.#add(path, this.#copy(pointer(operation["from"])));
    else if (op === "test") this.#test(path, value);
    else throw unfitPatch();
  }

  #add(path: Pointer, value: Json): void {
    if (path.length === 0) {
      this.#value = value;
      return;
    }
    const { parent, key } = this.#placeOf(path);
    if (Array.isArray(parent)) {
      const at = key === "-" ? parent.length : index(key, parent.length);
      this.#count(parent.length - at);
      parent.splice(at, 0, value);
    } else setMember(parent, key, value);
  }

  #move(from: Pointer, path: Pointer): void {
    const moved = found(this.#value, from);
    if (moved === undefined) throw unfitPatch();
    this.#remove(from);
    this.#add(path, moved);
  }

  #replace(path: Pointer, value: Json): void {
    const { parent, key } = this.#placeOf(path);
    if (Array.isArray(parent)) parent[index(key, parent.length - 1)] = value;
    else setMember(parent, key, value);
  }

  #remove(path: Pointer): void {
    const { parent, key } = this.#placeOf(path);
    if (Array.isArray(parent)) {
      const at = index(key, parent.length - 1);
      this.#count(parent.length - at);
      parent.splice(at, 1);
    } else {
      if (!Object.hasOwn(parent, key)) throw unfitPatch();
      delete parent[key];
    }
  }

  #copy(from: Pointer): Json {
    const original = found(this.#value, from) ?? null;
    this.#copied += JSON.stringify(original).length;
    if (this.#copied > MAX_COPIED) throw copiesTooMuch(MAX_COPIED, this.#copied);
    return cloned(original);
  }

  #test(path: Pointer, wanted: JsonValue): void {
    const value = found(this.#value, path) ?? null;
    if (!isDeepStrictEqual(value, wanted)) throw unfitPatch();
  }

  /** What holds the value that a path leads to. */
  #placeOf(path: Pointer): { readonly parent: Parent; readonly key: string } {
    const key = path.at(-1);
    let parent: Json | undefined = this.#value;
    for (const step of path.slice(0, -1)) {
      if (Array.isArray(parent)) parent = parent[index(step, parent.length - 1)];
      else if (isMap(parent) && Object.hasOwn(parent, step)) parent = parent[step];
      else throw unfitPatch();
    }
    if (key === undefined || !(Array.isArray(parent) || isMap(parent))) throw unfitPatch();
    return { parent, key };
  }

  #count(entries: number): void {
    this.#shifted += entries;
    if (this.#shifted > MAX_SHIFTED) throw tooLaborious();
  }
}

function cloned(value: JsonValue): Json {
  return structuredClone(value) as Json;
}

function isMap(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `__proto__` is a name like others. */
function setMember(map: { [name: string]: Json }, name: string, value: Json): void {
  Object.defineProperty(map, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function pointer(text: JsonValue | undefined): Pointer {
  if (typeof text !== "string" || (text !== "" && !text.startsWith("/"))) throw unfitPatch();
  const steps = text.split("/", MAX_STEPS + 2).slice(1);
  if (steps.length > MAX_STEPS) throw unfitPatch();
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function found(target: Json, path: Pointer): Json | undefined {
  let value: Json | undefined = target;
  for (const step of path) {
    if (Array.isArray(value)) value = value[index(step, value.length - 1)];
    else value = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
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
