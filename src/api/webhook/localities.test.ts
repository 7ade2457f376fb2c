import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkLocalities } from "./localities.ts";

/** Every pair compared, part by part, from what a locality means. */
function overlap(one: string, before: string): boolean {
  const [parts, wider] = [one.split("/"), before.split("/")];
  for (const level of [0, 1, 2]) {
    const [part, other] = [parts[level], wider[level]];
    if (other === "*" || (level > 0 && (part === undefined || other === undefined))) return true;
    if (part !== other) return false;
  }
  return true;
}

const part = fc.constantFrom("a", "b");
const locality = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, wild]) => (wild ? [...parts.slice(0, -1), "*"] : parts).join("/"));

test("law: the first overlap told is the one that comparing all pairs finds", () => {
  fc.assert(
    fc.property(fc.array(locality, { maxLength: 6 }), (list) => {
      const told: number[] = [];
      checkLocalities(list, (_locality, _problem, item) => told.push(item));
      const first = list.findIndex((one, item) =>
        list.slice(0, item).some((before) => overlap(one, before)),
      );
      assert.deepEqual(told, first < 0 ? [] : [first]);
    }),
    { numRuns: 3_000 },
  );
});

test("50,000 localities are compared in no time", () => {
  const many = Array.from({ length: 50_000 }, (_, at) => `r${at % 300}/z${at}`);
  const told: string[] = [];
  checkLocalities([...many, "r7"], (locality) => told.push(locality));
  assert.deepEqual(told, ["r7"]);
});
