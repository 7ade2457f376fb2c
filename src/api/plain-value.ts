/** A tree of YAML as plain JSON, without its lines. */
import type { YamlNode } from "./yaml-documents.ts";

export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [field: string]: PlainValue };

export function plainValue(node: YamlNode): PlainValue {
  if (node.type === "scalar") return node.value;
  if (node.type === "list") return node.items.map(plainValue);
  return Object.fromEntries(
    [...node.entries].map(([field, entry]) => [field, plainValue(entry.node)]),
  );
}
