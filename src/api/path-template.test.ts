import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePathTemplate, isPathTemplate, pathProblem } from "./path-template.ts";

const matches: [rule: string, template: string, path: string, matched: boolean][] = [
  ["MV-28", "/a/{*}/c", "/a/b/c", true],
  ["MV-29", "/a/{*}/c", "/a/b/b/c", false],
  ["MV-30", "/a/{**}", "/a/", true],
  ["AP-70 {**} needs its slash", "/a/{**}", "/a", false],
  ["MV-31", "/a/{**}/c", "/a/x/y/c", true],
  ["AP-70 {**} may be empty", "/a/{**}/c", "/a//c", true],
  ["AP-70 {*} is not empty", "/a/{*}/c", "/a//c", false],
  ["AP-70 {*} before {**}", "/{*}/b/{**}", "/a/b/c/d", true],
  ["AP-73 anchored", "/a/{*}", "/x/a/b", false],
  ["AP-73 anchored", "/a/{*}", "/a/b/", false],
  ["AP-73 case-sensitive", "/A/{*}", "/a/b", false],
  ["AP-71 literal dot", "/a.b/{*}", "/axb/c", false],
  ["AP-71 literal dollar", "/$a(b)/{*}", "/$a(b)/c", true],
];
for (const [rule, template, path, matched] of matches) {
  test(`${rule}: ${template} ${matched ? "matches" : "does not match"} ${JSON.stringify(path)}`, () => {
    assert.equal(pathProblem(template), undefined);
    for (const reach of ["any-byte", "envoy-bytes"] as const) {
      assert.equal(compilePathTemplate(template, { reach })(path), matched, reach);
    }
  });
}

const PATH_BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
const ENVOY_BYTES = /^[a-zA-Z0-9._~%!$&'()+,;:@-]$/;

for (const template of ["/a/{*}", "/a/{**}", "/a/{**}/b"]) {
  test(`AP-72: the operator of ${template} stands for any byte, or for those of Envoy`, () => {
    const any = compilePathTemplate(template, { reach: "any-byte" });
    const envoy = compilePathTemplate(template, { reach: "envoy-bytes" });
    for (const byte of PATH_BYTES.filter((one) => one !== "/")) {
      const path = template.replace(/\{.*\}/, () => `x${byte}y`);
      assert.equal(any(path), true, JSON.stringify(path));
      assert.equal(envoy(path), ENVOY_BYTES.test(byte), JSON.stringify(path));
    }
  });
}

test("AP-72: what a template matches with Envoy's bytes, it matches with any byte", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "/", "=", "|", "%", "\u00e9", "\n") });
  const parts = fc.constantFrom("{*}", "{**}").chain((operator) =>
    fc.record({
      before: fc.array(fc.constantFrom("a", "b.c", "="), { maxLength: 2 }),
      operator: fc.constant(operator),
      filled: fc.oneof(fc.constantFrom("a", "a/b", ""), texts),
      after: fc.constantFrom("", "/a"),
    }),
  );
  let matched = 0;
  fc.assert(
    fc.property(parts, ({ before, operator, filled, after }) => {
      const template = `/${[...before, operator].join("/")}${after}`;
      assert.equal(pathProblem(template), undefined);
      const path = `/${[...before, filled].join("/")}${after}`;
      if (!compilePathTemplate(template, { reach: "envoy-bytes" })(path)) return;
      matched++;
      assert.ok(compilePathTemplate(template, { reach: "any-byte" })(path));
    }),
    { numRuns: 1000 },
  );
  assert.ok(matched > 100, `only ${matched} paths matched`);
});

const problems: [path: string, problem: RegExp | undefined][] = [
  ["/plain", undefined],
  ["/plain*", undefined],
  ["/a//b", undefined],
  ["/{*}", undefined],
  ["/{**}/path/template", undefined],
  ["/{*}/{*}/{**}/", undefined],
  ["/{**}/{*}", /last operator/],
  ["/{**}/{**}", /last operator/],
  ["/a{*}", /stands alone/],
  ["/{**}.txt", /stands alone/],
  ["/{a}", /brace/],
  ["/a}", /brace/],
  ["/{*}/a*", /character/],
  ["/{*}//a", /empty segment/],
  ["/{*}/a b", /character/],
];
for (const [path, problem] of problems) {
  test(`AP-71, VAL-29: ${path} is ${problem === undefined ? "accepted" : "refused"}`, () => {
    if (problem === undefined) assert.equal(pathProblem(path), undefined);
    else assert.match(pathProblem(path) ?? "no problem", problem);
  });
}

test("AP-55: only {*} and {**} make a template", () => {
  assert.deepEqual(["/a/{*}", "/a/{**}/b", "/a*", "/{a}"].map(isPathTemplate), [
    true,
    true,
    false,
    false,
  ]);
});

for (const reach of ["any-byte", "envoy-bytes"] as const) {
  test(`a template of many segments is matched in linear time (${reach})`, () => {
    const matcher = compilePathTemplate(`${"/{*}".repeat(50)}/{**}/end`, { reach });
    const started = performance.now();
    assert.equal(matcher(`${"/a".repeat(20_000)}/en`), false);
    assert.ok(performance.now() - started < 500);
  });
}
