import assert from "node:assert/strict";
import { test } from "node:test";
import { closestName } from "./closest-name.ts";

const cases: [written: string, known: readonly string[], meant: string | undefined][] = [
  ["mtsl", ["selector", "mtls"], "mtls"],
  ["form", ["from", "to", "when"], "from"],
  ["targetport", ["port", "targetPort"], "targetPort"],
  ["principal", ["notPrincipals", "principals"], "principals"],
  ["x", ["y"], undefined],
  ["ab", ["cd"], undefined],
  ["something", ["else"], undefined],
  ["", ["a"], undefined],
  ["abc", [], undefined],
];
for (const [written, known, meant] of cases) {
  test(`"${written}" among ${known.join(", ")} means ${meant}`, () => {
    assert.equal(closestName(written, known), meant);
  });
}

test("no name is looked for where what is written is endless, or so much is known", () => {
  assert.equal(closestName("a".repeat(100_000), ["a".repeat(100_001)]), undefined);
  const known = Array.from({ length: 1_000 }, (_, at) => `name${at}`);
  assert.equal(closestName("nema3", known), "name3");
  assert.equal(closestName("sellector", [...known, "selector"]), undefined);
});
