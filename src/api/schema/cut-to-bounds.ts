/** A document as far as its schema lets it go: what is refused for its length alone is not read item by item. */

import type { YamlEntry, YamlMap, YamlNode } from "../yaml-documents.ts";
import { fieldSchema } from "./rule-value.ts";
import type { Schema } from "./schema.ts";

/**
 * The same map without what exceeds the bounds of lists and maps; one item beyond them is kept, so that whoever counts
 * sees that there are too many.
 *
 * @returns the map itself where nothing does
 */
export function cutToBounds(schema: Schema, map: YamlMap): YamlMap {
  const most = schema.type === "map" ? (schema.maxProperties ?? MANY) : MANY;
  let entries: Map<string, YamlEntry> | undefined;
  if (map.entries.size > most + 1) entries = new Map([...map.entries].slice(0, most + 1));
  for (const [name, entry] of entries ?? map.entries) {
    const inside = schema.type === "map" ? schema.value : fieldOf(schema, name);
    const node = inside === undefined ? entry.node : cut(inside, entry.node);
    if (node === entry.node) continue;
    entries ??= new Map(map.entries);
    entries.set(name, { ...entry, node });
  }
  return entries === undefined ? map : { ...map, entries };
}

const MANY = Number.POSITIVE_INFINITY;

function fieldOf(schema: Schema, name: string): Schema | undefined {
  return schema.type === "object" ? fieldSchema(schema, name) : undefined;
}

function cut(schema: Schema, node: YamlNode): YamlNode {
  if (node.type === "map") return cutToBounds(schema, node);
  if (node.type !== "list" || schema.type !== "list") return node;
  const kept = (schema.maxItems ?? MANY) + 1;
  const within = node.items.length > kept ? node.items.slice(0, kept) : node.items;
  const items = within.map((item) => cut(schema.item, item));
  const isWhole = within === node.items && items.every((item, index) => item === within[index]);
  return isWhole ? node : { ...node, items };
}
