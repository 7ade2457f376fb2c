/**
 * One step of a path into an object, as text: `f:name` a field, `k:{"name":"a"}` an item of a list by its keys,
 * `v:"a"` an item of a set. It is also how managedFields write it.
 * Source: structured-merge-diff v6, fieldpath.
 */
import { isJsonList, isJsonObject, ownValue } from "../kinds/json-access.ts";
import type { JsonValue } from "../kinds/kubernetes-object.ts";
import type { Structure } from "../kinds/structure.ts";

export type PathElement = string;
export type FieldPath = readonly PathElement[];

type ListStructure = Extract<Structure, { type: "list" | "set" }>;

export const fieldElement = (name: string): PathElement => `f:${name}`;

/** @returns undefined for what is no field */
export function fieldNameOf(element: PathElement): string | undefined {
  return element.startsWith("f:") ? element.slice(2) : undefined;
}

/** @returns undefined for an item that nothing tells apart, which such a list must not have */
export function itemElement(structure: ListStructure, item: JsonValue): PathElement | undefined {
  if (structure.type === "set") {
    return isPlain(item) ? `v:${JSON.stringify(item)}` : undefined;
  }
  if (!isJsonObject(item)) return undefined;
  const keys = [...structure.keys].sort().flatMap((key): [string, JsonValue][] => {
    const value = ownValue(item, key) ?? structure.defaults?.[key];
    return value === undefined ? [] : [[key, value]];
  });
  return keys.length === 0 ? undefined : `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/**
 * @returns the same text for the same element; "unknown" for one of another form, which a later Kubernetes may write;
 * undefined for what is no element
 */
export function readElement(text: string): PathElement | "unknown" | undefined {
  const [form, rest] = [text.slice(0, 2), text.slice(2)];
  if (form === "f:") return text;
  if (form === "i:") return /^\d{1,9}$/.test(rest) ? text : undefined;
  if (form !== "k:" && form !== "v:") return form.endsWith(":") ? "unknown" : undefined;
  const value = parsed(rest);
  if (form === "v:") return isPlain(value) ? `v:${JSON.stringify(value)}` : undefined;
  if (!isJsonObject(value)) return undefined;
  const keys = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  if (keys.length === 0 || !keys.every(([, key]) => isPlain(key))) return undefined;
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

const isPlain = (value: JsonValue | undefined): boolean =>
  value !== undefined && value !== null && !isJsonObject(value) && !isJsonList(value);

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** As messages show it: `.spec`, `[name="a"]`, `[="a"]`. */
export function printedElement(element: PathElement): string {
  const [form, text] = [element.slice(0, 2), element.slice(2)];
  if (form === "f:") return `.${text}`;
  if (form === "v:") return `[=${text}]`;
  if (form !== "k:") return `[${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, JsonValue>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

export const printedPath = (path: FieldPath): string => path.map(printedElement).join("");

/** Fields, then items by keys, then items of sets; numbers by what they are, all else by its text. */
export function sortedElements(elements: Iterable<PathElement>): PathElement[] {
  return [...elements]
    .map((element) => ({ element, parts: comparableParts(element) }))
    .sort((one, other) => compareLists(one.parts, other.parts))
    .map(({ element }) => element);
}

function compareLists(one: readonly Part[], other: readonly Part[]): number {
  for (const [index, part] of one.entries()) {
    const ordered = compareParts(part, other[index] ?? "");
    if (ordered !== 0) return ordered;
  }
  return one.length - other.length;
}

type Part = string | number;

function comparableParts(element: PathElement): Part[] {
  const rank = "fkvi".indexOf(element.charAt(0));
  if (element.startsWith("f:")) return [rank, element];
  const value = JSON.parse(element.slice(2)) as JsonValue;
  const parts = isJsonObject(value) ? Object.entries(value).flat() : [value];
  return [rank, ...parts.map((part) => (typeof part === "number" ? part : String(part)))];
}

function compareParts(one: Part, other: Part): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return one < other ? -1 : one > other ? 1 : 0;
}
