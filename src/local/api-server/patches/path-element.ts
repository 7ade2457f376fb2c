/**
 * One step of a path into an object, as text: `f:name` a field, `k:{"name":"a"}` an item of a list by its keys,
 * `v:"a"` an item of a set. It is also how managedFields write it.
 * Source: structured-merge-diff v6, fieldpath.
 */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
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
    const plain = item !== null && !isJsonObject(item) && !isJsonList(item);
    return plain ? `v:${JSON.stringify(item)}` : undefined;
  }
  if (!isJsonObject(item)) return undefined;
  const keys = [...structure.keys].sort().flatMap((key): [string, JsonValue][] => {
    const value = item[key] ?? structure.defaults?.[key];
    return value === undefined ? [] : [[key, value]];
  });
  return keys.length === 0 ? undefined : `k:${JSON.stringify(Object.fromEntries(keys))}`;
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

/** Fields, then items by keys, then items of sets; each by its text. */
export function comparePathElements(one: PathElement, other: PathElement): number {
  const rank = (element: PathElement): number => "fkvi".indexOf(element.charAt(0));
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  return one < other ? -1 : one > other ? 1 : 0;
}
