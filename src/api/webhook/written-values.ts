/**
 * Reads fields as protobuf's JSON is read, and says nothing: what is absent, null, or of another type (the schema's
 * matter) is the zero value.
 */
import type { Fields } from "../decoder.ts";
import type { YamlNode } from "../yaml-documents.ts";

/** "" when absent */
export function textIn(fields: Fields, name: string): string {
  return textOf(fields.map.entries.get(name)?.node);
}

/** Whether there is a text, be it empty: what is of another type is the schema's matter. */
export function isText(fields: Fields, name: string): boolean {
  const node = fields.map.entries.get(name)?.node;
  return node?.type === "scalar" && typeof node.value === "string";
}

/** The items in their places; one that is no text is "". */
export function textsIn(fields: Fields, name: string): readonly string[] {
  const node = fields.map.entries.get(name)?.node;
  return node?.type === "list" ? node.items.map(textOf) : [];
}

/** 0 when absent; a number in quotes counts, as protobuf's JSON writes 64-bit integers. */
export function numberIn(fields: Fields, name: string): number {
  const node = fields.map.entries.get(name)?.node;
  if (node?.type !== "scalar") return 0;
  if (typeof node.value === "number") return node.value;
  if (typeof node.value !== "string" || node.value.trim() === "") return 0;
  const value = Number(node.value);
  return Number.isNaN(value) ? 0 : value;
}

export function flagIn(fields: Fields, name: string): boolean {
  const node = fields.map.entries.get(name)?.node;
  return node?.type === "scalar" && node.value === true;
}

/** Whether a text, a list or a map says something: "" and what is empty say nothing. */
export function isGiven(fields: Fields, name: string): boolean {
  const node = fields.map.entries.get(name)?.node;
  if (node?.type === "scalar") return node.value !== null && node.value !== "";
  return !fields.saysNothing(name);
}

/** The pairs of a map of texts. */
export function textPairsIn(fields: Fields, name: string): readonly (readonly [string, string])[] {
  const node = fields.map.entries.get(name)?.node;
  if (node?.type !== "map") return [];
  return [...node.entries].map(([key, entry]) => [key, textOf(entry.node)] as const);
}

function textOf(node: YamlNode | undefined): string {
  return node?.type === "scalar" && typeof node.value === "string" ? node.value : "";
}
