import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { patternReplacement } from "./pattern-replacement.ts";

function replaced(pattern: string, substitution: string, text: string): string | undefined {
  const compiled = patternReplacement(pattern, substitution);
  assert.ok(typeof compiled !== "string", `${pattern} ${String(compiled)}`);
  return compiled(text);
}

const cases: [pattern: string, substitution: string, text: string, expected: string][] = [
  ["one", "two", "/one/x/one", "/two/x/two"],
  ["^/api/(.*)$", "/v1/\\1", "/api/x/y", "/v1/x/y"],
  ["/service/([^/]+)(/.*)$", "\\2/instance/\\1", "/service/foo/v1", "/v1/instance/foo"],
  ["(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb"],
  ["a*", "-", "baac", "-b-c-"],
  ["(a|ab)(c|bcd)", "[\\1,\\2]", "abcd", "[a,bcd]"],
  ["(\\d+?)(\\d*)", "<\\1,\\2>", "123", "<1,23>"],
  ["x(?P<n>y)?", "(\\1)", "xy x", "(y) ()"],
  ["(?:a)(b)", "\\1", "ab", "b"],
  ["b+", "\\0\\0\\\\", "abb", "abbbb\\"],
  ["(a){2}", "\\1", "aaaa", "aa"],
];
for (const [pattern, substitution, text, expected] of cases) {
  test(`${pattern} by ${substitution} makes ${expected} of ${text}`, () => {
    assert.equal(replaced(pattern, substitution, text), expected);
  });
}

test("a group that is not there is told, and so is what is no pattern", () => {
  assert.match(String(patternReplacement("(a)", "\\2")), /^has no group for \\2/);
  assert.match(String(patternReplacement("a", "\\x")), /^has no group/);
  assert.match(String(patternReplacement("(a", "")), /\( too many/);
});

test("a text that would take too long is not replaced", () => {
  assert.equal(replaced("(a|b|ab)*c", "", "ab".repeat(50_000)), undefined);
});

const atom = fc.constantFrom("a", "b", ".", "[ab]");
const repeated = fc
  .tuple(atom, fc.constantFrom("", "?", "*", "+", "??", "+?"))
  .map((parts) => parts.join(""));
const sequence = fc.array(repeated, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
const pattern = fc
  .tuple(sequence, sequence, sequence)
  .map(([one, two, three]) => `(${one})(${two}|${three})`);

test("law: where a match is not empty, it replaces as JavaScript's own engine does", () => {
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 }),
      (written, text) => {
        fc.pre(!new RegExp(`^(?:${written})$`).test(""));
        const expected = text.replace(
          new RegExp(written, "g"),
          (_all, one = "", two = "") => `<${one}|${two}>`,
        );
        assert.equal(replaced(written, "<\\1|\\2>", text), expected);
      },
    ),
    { numRuns: 1_000 },
  );
});
