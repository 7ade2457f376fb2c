/** Drawings in which nothing covers anything else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GraphLayout, layOutGraph, NODE_WIDTH } from "./graph-layout.ts";
import type { EdgeView } from "./views.ts";

const LINE_HEIGHT = 14;

function layOut(calls: readonly (readonly [from: string, to: string])[]): GraphLayout {
  const edges = calls.map(
    ([from, to]): EdgeView => ({
      from,
      to,
      mutualTls: 1,
      plaintext: 0,
      refused: 0,
      calls: 1,
      mutualTlsPercent: 100,
    }),
  );
  const names = [...new Set(calls.flat())].sort();
  const services = [...names, "idle"].map((name) => ({ name, sidecar: "all" as const }));
  return layOutGraph({ windowMinutes: 15, services, edges });
}

const graphs: readonly [what: string, calls: readonly (readonly [string, string])[]][] = [
  ["no call", []],
  [
    "a chain",
    [
      ["a", "b"],
      ["b", "c"],
    ],
  ],
  ["a fan", ["b", "c", "d", "e", "f"].map((to) => ["a", to] as const)],
  [
    "all that call all",
    ["a", "b", "c"].flatMap((from) => ["x", "y", "z"].map((to) => [from, to] as const)),
  ],
  [
    "a circle",
    [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ],
  ],
  ["one that calls itself", [["a", "a"]]],
];
for (const [what, calls] of graphs) {
  test(`${what}: all is within the drawing, and no two boxes or texts meet`, () => {
    const { width, height, nodes, edges } = layOut(calls);
    assert.equal(edges.length, calls.length);
    assert.equal(nodes.length, new Set(calls.flat()).size);
    for (const { x, y, height: own } of nodes)
      assert.ok(x >= 0 && y >= 0 && x + NODE_WIDTH <= width && y + own <= height);
    for (const [index, one] of nodes.entries())
      for (const other of nodes.slice(index + 1))
        assert.ok(
          one.x !== other.x || one.y + one.height <= other.y || other.y + other.height <= one.y,
        );
    const bends = edges.map(({ bend: { x, y } }) => `${x} ${y}`);
    assert.equal(new Set(bends).size, bends.length, "each has a place of its own for a bar");
    for (const [index, { label: one }] of edges.entries())
      for (const { label: other } of edges.slice(index + 1))
        assert.ok(one.x !== other.x || Math.abs(one.y - other.y) >= LINE_HEIGHT);
  });
}

test("who is called stands to the right of the caller", () => {
  const { nodes } = layOut([
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
  ]);
  const x = (name: string): number => nodes.find((node) => node.name === name)?.x ?? Number.NaN;
  assert.ok(x("a") < x("b") && x("b") < x("c"));
});

test("a call that passes a column goes between its boxes", () => {
  const { nodes, edges } = layOut([
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
    ["d", "b"],
    ["d", "c"],
  ]);
  const passed = nodes.find(({ name }) => name === "b");
  assert.ok(passed);
  const passing = edges.filter(({ edge: { from, to } }) => from !== "b" && to === "c");
  assert.equal(passing.length, 2);
  for (const { path } of passing) {
    // Where it enters the column, and goes straight on from.
    const [, y = ""] = new RegExp(`, ${passed.x} ([\\d.]+) H `).exec(path) ?? [];
    assert.notEqual(y, "", path);
    assert.ok(Number(y) < passed.y || Number(y) > passed.y + passed.height, path);
  }
});
