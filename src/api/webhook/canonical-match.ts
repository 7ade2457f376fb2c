/** One text for all ways to write a match, so that equal ones are found; its name and its empty fields do not count. */
import type { Fields } from "../decoder.ts";
import type { YamlMap, YamlNode } from "../yaml-documents.ts";

export function canonicalMatch({ map }: Fields): string {
  const pairs = sortedPairs(map).filter(([name, text]) => name !== "name" && counts(name, text));
  return JSON.stringify(pairs);
}

const EMPTY = ['""', "0", "false", "[]", "null"];
const STRING_MATCHES = ["uri", "scheme", "method", "authority"];

/** A string match without content is none to Istio, and yet not the same as its absence. */
function counts(name: string, text: string): boolean {
  return !EMPTY.includes(text) || (text === "[]" && STRING_MATCHES.includes(name));
}

function sortedPairs({ entries }: YamlMap): readonly (readonly [string, string])[] {
  return [...entries]
    .map(([name, { node }]) => [name, canonicalText(node)] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function canonicalText(node: YamlNode): string {
  if (node.type === "scalar") return JSON.stringify(node.value);
  if (node.type === "list") return JSON.stringify(node.items.map(canonicalText));
  return JSON.stringify(sortedPairs(node));
}
