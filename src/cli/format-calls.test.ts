import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCalls } from "./format-calls.ts";

const ref = { kind: "DestinationRule", namespace: "shop", name: "rule" };
const origin = { ref, source: { file: "mesh.yaml", line: 7 } };
const ports = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ host: "a.shop.svc", servicePort: at + 1 }));

test("nothing where no rule says anything", () => assert.deepEqual(formatCalls([]), []));

test("each rule with its place, then what it says", () => {
  const lines = formatCalls([{ to: ports(1), origin, sentences: ["any endpoint", "at most 1"] }]);
  assert.deepEqual(lines, [
    "",
    "Calls it makes, where a ServiceEntry or DestinationRule says how:",
    "",
    "  to a.shop.svc:1, by DestinationRule shop/rule (mesh.yaml:7)",
    "    any endpoint",
    "    at most 1",
  ]);
});

test("of many ports four are named", () => {
  const lineOf = (count: number) =>
    formatCalls([{ to: ports(count), origin, sentences: ["x"] }])[3];
  assert.match(lineOf(4) ?? "", /svc:3, a\.shop\.svc:4, by /);
  assert.match(lineOf(6) ?? "", /svc:4, and 2 more, by /);
});
