/** One text for all ways to write a match, so that equal ones are found; its name and its empty fields do not count. */
import type { Fields } from "../decoder.ts";
import type { YamlMap, YamlNode } from "../yaml-documents.ts";

export function canonicalMatch({ map }: Fields): string {
  const pairs = sortedEntries(map)
    .filter(([name, node]) => name !== "name" && counts(name, node))
    .map(([name, node]) => [name, canonical(node)]);
  return JSON.stringify(pairs);
}

const STRING_MATCHES = ["uri", "scheme", "method", "authority"];

/** A string match without content is none to Istio, and yet not the same as its absence. */
function counts(name: string, node: YamlNode): boolean {
  if (node.type === "scalar") return Boolean(node.value);
  const size = node.type === "list" ? node.items.length : node.entries.size;
  return size > 0 || STRING_MATCHES.includes(name);
}

function sortedEntries({ entries }: YamlMap): readonly (readonly [string, YamlNode])[] {
  return [...entries]
    .map(([name, { node }]) => [name, node] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** What `JSON.stringify` makes one text of; a text of texts would double its escapes with every level. */
type Canonical = string | number | boolean | null | readonly Canonical[];

function canonical(node: YamlNode): Canonical {
  if (node.type === "scalar") return node.value;
  if (node.type === "list") return [LIST, ...node.items.map(canonical)];
  return [MAP, ...sortedEntries(node).flatMap(([name, inner]) => [name, canonical(inner)])];
}

const [LIST, MAP] = [0, 1];
