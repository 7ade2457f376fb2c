import assert from "node:assert/strict";
import { test } from "node:test";
import { type YamlMap, yamlDocuments } from "../yaml-documents.ts";
import { cutToBounds } from "./cut-to-bounds.ts";
import { list, mapOf, object, text } from "./schema.ts";

const schema = object({
  names: list(text(), { maxItems: 3 }),
  labels: mapOf(text(), { maxProperties: 2 }),
  rules: list(object({ names: list(text(), { maxItems: 3 }) })),
});

function mapIn(yaml: string): YamlMap {
  const root = yamlDocuments(yaml)[0]?.root;
  assert.ok(root?.type === "map");
  return root;
}

const within = [
  "{names: [a, b, c, d], labels: {a: b, c: d, e: f}, rules: [{names: [a]}], more: [a, b, c, d, e]}",
  "{names: {a: b}, labels: [a, b, c, d], rules: a}",
];
for (const yaml of within) {
  test(`${yaml} is left as it is`, () => {
    const map = mapIn(yaml);
    assert.equal(cutToBounds(schema, map), map);
  });
}

const cut: [yaml: string, left: string][] = [
  ["{names: [a, b, c, d, e, f], other: [1]}", "{names: [a, b, c, d], other: [1]}"],
  ["{labels: {a: b, c: d, e: f, g: h}}", "{labels: {a: b, c: d, e: f}}"],
  ["{rules: [{}, {names: [a, b, c, d, e]}]}", "{rules: [{}, {names: [a, b, c, d]}]}"],
];
for (const [yaml, left] of cut) {
  test(`of ${yaml} is left ${left}`, () => {
    const plain = (map: YamlMap): string =>
      JSON.stringify(map, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
    assert.equal(plain(cutToBounds(schema, mapIn(yaml))), plain(mapIn(left)));
  });
}
