import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstParam, withoutParam } from "./query-params.ts";

const cases: [path: string, first: string | undefined, without: string][] = [
  ["/", undefined, "/"],
  ["/a=1", undefined, "/a=1"],
  ["/?", undefined, "/?"],
  ["/?a", "", "/"],
  ["/?a=", "", "/"],
  ["/?a=1&a=2", "1", "/"],
  ["/p?b=%20&a=x%2Ey&c", "x.y", "/p?b=%20&c"],
  ["/?%61=1&A=2", "1", "/?A=2"],
  ["/?b=a=1", undefined, "/?b=a=1"],
  ["/?a=%zz&b", "%zz", "/?b"],
];
for (const [path, first, without] of cases) {
  test(`a in ${path}`, () => {
    assert.equal(firstParam(path, "a"), first);
    assert.equal(withoutParam(path, "a"), without);
  });
}

test("law: what is taken out cannot be found any more, as URLSearchParams reads it", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "=", "&", "%", "6", "1", "+") });
  fc.assert(
    fc.property(text, (query) => {
      const left = withoutParam(`/x?${query}`, "a");
      const read = new URLSearchParams(left.slice(left.indexOf("?") + 1));
      if (left.includes("?")) assert.equal(read.get("a"), null);
    }),
  );
});
