import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostSet, overlapsBefore } from "./host-set.ts";

const pairs: [wide: string, narrow: string, covers: boolean][] = [
  ["a.b", "a.b", true],
  ["*.b", "a.b", true],
  ["*.b", "b", false],
  ["*.b", "*.a.b", true],
  ["*.a.b", "*.b", false],
  ["*", "a", true],
  ["a.b", "*.b", false],
];
for (const [wide, narrow, covers] of pairs) {
  test(`${wide} ${covers ? "covers" : "does not cover"} ${narrow}`, () => {
    assert.equal(new HostSet([wide]).covers(narrow), covers);
  });
}

function covers(wide: string, narrow: string): boolean {
  const ending = narrow.startsWith("*") ? narrow.slice(1) : narrow;
  return wide === narrow || (wide.startsWith("*") && ending.endsWith(wide.slice(1)));
}

const name = fc.array(fc.constantFrom("a", "b", "."), { maxLength: 5 }).map((all) => all.join(""));
const host = fc.oneof(
  name,
  name.map((text) => `*${text}`),
);
const hosts = fc.array(host, { maxLength: 8 });

test("law: the first overlap before a host is the one that comparing all pairs finds", () => {
  fc.assert(
    fc.property(hosts, (list) => {
      const naive = list.map((one, place) => {
        const first = list
          .slice(0, place)
          .findIndex((other) => covers(other, one) || covers(one, other));
        return first < 0 ? undefined : first;
      });
      assert.deepEqual(overlapsBefore(list), naive);
    }),
    { numRuns: 2_000 },
  );
});

test("law: a set covers what one of its hosts covers", () => {
  fc.assert(
    fc.property(hosts, host, (list, asked) => {
      const naive = list.some((wide) => covers(wide, asked));
      assert.equal(new HostSet(list).covers(asked), naive);
    }),
    { numRuns: 2_000 },
  );
});

test("50,000 hosts are compared in no time", () => {
  const many = Array.from({ length: 50_000 }, (_, place) => `h${place}.example.com`);
  const found = overlapsBefore([...many, "*.example.com", "h7.example.com"]);
  assert.deepEqual(found.slice(-2), [0, 7]);
  assert.ok(found.slice(0, -2).every((before) => before === undefined));
});
